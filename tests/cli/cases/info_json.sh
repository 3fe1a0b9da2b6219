eryx info --json | python3 -c '
import json, sys
info = json.load(sys.stdin)
print(sorted(info))
print(sorted(info["sandbox"]), "json" in info["sandbox"]["modules"], "mmap" in info["sandbox"]["missing_modules"])
print(info["verified"], info["file_bytes"] > 10**7, info["image_bytes"] > info["image_constant_bytes"] > 0)'
