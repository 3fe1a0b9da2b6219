# hashlib, hmac, secrets, uuid: known answers.
import hashlib
import hmac
import secrets
import uuid

for name in sorted(hashlib.algorithms_guaranteed):
    new = hashlib.new(name, b'abc')
    digest = new.hexdigest(16) if name.startswith('shake') else new.hexdigest()
    print(name, new.block_size, digest)
print(hashlib.sha256(b'').hexdigest())
print(hashlib.blake2b(b'abc', digest_size=16, key=b'key', salt=b'salt', person=b'me').hexdigest())
incremental = hashlib.sha1()
for _ in range(1000):
    incremental.update(b'a' * 1000)
copy = incremental.copy()
copy.update(b'x')
print(incremental.hexdigest(), copy.hexdigest() != incremental.hexdigest())
print(hmac.new(b'key', b'message', 'sha256').hexdigest(), hmac.digest(b'k', b'm', 'sha512').hex()[:16])
print(hmac.compare_digest(b'a', b'a'), hmac.compare_digest('a', 'b'))
try:
    hashlib.new('nonsense')
except ValueError as error:
    print(type(error).__name__)
with open('/tmp/hashed', 'wb') as file:
    file.write(b'abc')
with open('/tmp/hashed', 'rb') as file:
    print(hashlib.file_digest(file, 'sha256').hexdigest()[:16])
print(len(secrets.token_hex(16)), len(secrets.token_bytes(9)), secrets.choice([1]), 0 <= secrets.randbelow(10) < 10)
print(uuid.uuid5(uuid.NAMESPACE_DNS, 'python.org'), uuid.uuid3(uuid.NAMESPACE_URL, 'x'), uuid.uuid4().version)
print(len({uuid.uuid4() for _ in range(1000)}), uuid.UUID(int=5).hex, uuid.uuid1().version)
