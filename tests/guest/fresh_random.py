# Everything random works in a fresh sandbox, seeded or not.
import random
import secrets
import statistics
import tempfile
import uuid

print(random.Random(1).random(), random.__name__, random.__file__, random.__spec__.name)
random.seed(1)
print(random.random())
print(len({random.random() for _ in range(100)}), len({uuid.uuid4() for _ in range(100)}))
print(len({secrets.token_hex() for _ in range(100)}), statistics.mean([1, 2]))
print(statistics.random is random, tempfile.gettempdir())
import importlib

print(importlib.reload(random) is random)
