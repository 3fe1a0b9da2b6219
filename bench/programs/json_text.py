"""json: dumping and loading nested documents, compact and indented."""
import json


def document(size):
    return {
        "title": "A document with \"quotes\", ünïcode and a\nnewline",
        "values": [i * 0.25 for i in range(size)],
        "people": [
            {"id": i, "name": f"person {i}", "tags": ["a", "b", str(i)], "active": i % 2 == 0,
             "manager": None if i % 7 else {"id": i // 7}}
            for i in range(size)
        ],
    }


def run():
    data = document(1500)
    length = 0
    for _ in range(12):
        text = json.dumps(data)
        length += len(text)
        data = json.loads(text)
    length += len(json.dumps(data, indent=2, sort_keys=True))
    return length, data["people"][77]["tags"], data["title"]
