import io
import pickle

import numpy as np

a = np.arange(12.0).reshape(3, 4)
print(np.__version__, a.sum(), (a * 2 + 1)[1:, ::2].tolist(), (a @ a.T).tolist(), np.einsum("ij,kj->ik", a, a)[0, 1])
print(np.arange(5, dtype=np.int8) ** 2, np.abs(np.array([3 + 4j])), np.float16(1.5) + 1, np.uint8(200) + np.uint8(100))
print(np.sort([3, 1, 2]), np.argsort([3, 1, 2]), np.unique([1, 2, 2]), np.histogram([1, 2, 2], bins=2)[0], np.bitwise_count(np.uint8(255)))
print(np.datetime64("2024-02-28") + 1, np.char.upper(["ab"]), np.array([(1, 2.5)], dtype=[("a", int), ("b", float)])["b"])
print(np.ma.array([1, 2, 3], mask=[0, 1, 0]).sum(), np.where(a > 5, a, 0).sum(), np.cumsum(a, axis=1)[2], a.T.strides)
# linalg
m = np.array([[4.0, 7], [2, 6]])
print(np.linalg.solve([[3.0, 1], [1, 2]], [9.0, 8]), np.round(np.linalg.inv(m), 6).tolist(), round(np.linalg.det(m), 6))
print(np.round(np.sort(np.linalg.eigvals([[2.0, 1], [1, 2]])), 6), np.round(np.linalg.svd(a, compute_uv=False)[:2], 6))
q, r = np.linalg.qr(a)
print(np.allclose(q @ r, a), np.round(np.linalg.cholesky([[4.0, 2], [2, 3]]), 6).tolist(), round(np.linalg.norm(a), 6))
print(np.round(np.linalg.lstsq(np.c_[np.arange(4), np.ones(4)], [1.0, 3, 5, 7])[0], 6), np.round(np.polyfit([0, 1, 2], [1, 3, 5], 1), 6))
# fft
print(np.round(np.abs(np.fft.fft([1, 0, -1, 0])), 6), np.allclose(np.fft.ifft(np.fft.fft(a[0])).real, a[0]), np.fft.rfft2(a).shape)
# random: the same streams as anywhere
g = np.random.default_rng(42)
print(g.integers(0, 100, 5), np.round(g.normal(size=3), 6), g.permutation(5), g.choice(["a", "b"], 3))
np.random.seed(0)
print(np.round(np.random.rand(3), 6), np.random.randint(0, 10, 3))
# files and objects
file = io.BytesIO()
np.savez_compressed(file, a=a)
file.seek(0)
print((np.load(file)["a"] == a).all(), (pickle.loads(pickle.dumps(a)) == a).all(), np.frombuffer(b"\x01\x02", np.uint8))
np.savetxt("/tmp/a.txt", a, fmt="%d")
print(np.loadtxt("/tmp/a.txt").shape, np.array([1.5, 2e10]), np.array2string(a, precision=1, max_line_width=40))
np.save("/tmp/a.npy", a)
a.tofile("/tmp/a.raw")
with open("/tmp/two.npy", "wb") as two:
    np.save(two, a)
    np.save(two, a[0])
with open("/tmp/two.npy", "rb") as two:
    print((np.load("/tmp/a.npy") == a).all(), np.fromfile("/tmp/a.raw", count=2, offset=8), np.load(two).shape, np.load(two))
# errors of linalg, and of numbers where numpy itself finds them
for bad in lambda: np.linalg.inv(np.zeros((2, 2))), lambda: np.linalg.solve([[1, 1], [1, 1]], [1, 2]), lambda: np.linalg.cholesky([[1, 2], [2, 1]]):
    try:
        print(bad())
    except np.linalg.LinAlgError as error:
        print(error)
with np.errstate(all="raise"):
    for bad in lambda: np.array([1]) // 0, lambda: np.float16([60000]) * 10, lambda: np.int8(100) + np.int8(100):
        try:
            print(bad())
        except FloatingPointError as error:
            print(error)
with np.errstate(all="ignore"):
    print(np.array([1]) // 0, np.float16([60000]) * 10)
for bad in lambda: np.ones(3) + np.ones(4), lambda: np.array([1, 2])[5]:
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, error)
x = np.random.default_rng(0).random((100, 100))
print(np.allclose(np.linalg.inv(x) @ x, np.eye(100)), np.testing.assert_allclose(x, x))
