# memory: 256
# Most of the memory can be used, for blocks of any size, and what is freed serves again.


def fill(size):
    blocks = []
    try:
        while True:
            blocks.append(bytes(size))
    except MemoryError:
        return len(blocks) * size >> 20


for size in 1000, 10_000, 1_000_000, 2_200_000, 20_000_000:
    used = fill(size)
    print(size, used >= 176 or used)
for size in 40 << 20, 70 << 20, 1 << 20:
    for _ in range(50):
        block = bytearray(size)
        del block
grown = bytearray()
while len(grown) < 170 << 20:
    grown += bytes(1 << 20)
print("grown", len(grown) >> 20)
del grown
for _ in range(20):
    texts = ["x" * n for n in range(3000)]
    del texts
print(fill(1_000_000) >= 176)
