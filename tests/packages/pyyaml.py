import datetime

import yaml

text = """
name: sample   # a comment
list: [1, 2.5, true, null, 0x1F, 1e3]
nested: &anchor
  date: 2024-02-29
  time: 2001-12-14t21:59:43.10-05:00
  folded: >
    one
    two
  literal: |
    a
     b
merged:
  <<: *anchor
  extra: 'it''s'
set: !!set {a, b}
binary: !!binary aGVsbG8=
"""
data = yaml.safe_load(text)
for key, value in data.items():
    print(key, value if key != "set" else sorted(value))
print(yaml.safe_dump({"z": 1, "a": ["x", {"k": None}], "t": "line\nline\n", "u": "é", "d": datetime.date(2020, 1, 2)},
                     allow_unicode=True, sort_keys=False))
print(list(yaml.safe_load_all("--- 1\n--- [a]\n...\n")), yaml.safe_load(yaml.safe_dump(data)) == data)
for bad in "a: [1, 2", "a: b: c", "!!python/object/apply:os.system [x]", "\t- x":
    try:
        yaml.safe_load(bad)
    except yaml.YAMLError as error:
        print(type(error).__name__, str(error).splitlines()[0])


class Money(yaml.YAMLObject):
    yaml_tag, yaml_loader = "!money", yaml.SafeLoader

    def __init__(self, amount):
        self.amount = amount


print(yaml.safe_load("!money {amount: 5}").amount, yaml.dump(Money(7)).strip())
print([type(token).__name__ for token in yaml.scan("a: [b]")][:5], yaml.__with_libyaml__)
