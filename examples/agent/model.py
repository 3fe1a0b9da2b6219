"""A model that follows a script, so that the example needs no network and always does the same.

Each line of the script says what the model must have been told; otherwise it complains, as a test would. In
place of this class a real one would send the conversation to a language model.
"""

SCRIPT = [
    ("How much do customers owe", """I look at the orders of one customer first.
```python
found = await orders("Charles")
```"""),
    ("LookupError: no customer Charles; there are Ada, Blaise, Grace", """I take all of them.
```python
debts = {}
for name in ["Ada", "Blaise", "Grace"]:
    for order in await orders(name):
        if not order["paid"]:
            debts[name] += order["price"]
debts
```"""),
    ("KeyError: 'Ada'", """The sum must begin somewhere.
```python
from collections import Counter
debts = Counter()
for name in ["Ada", "Blaise", "Grace"]:
    for order in await orders(name):
        if not order["paid"]:
            debts[name] += order["price"]
debts
```"""),
    ('Value: {"Ada": 99.5, "Blaise": 250.0}', """Who owes most?
```python
worst = None
while worst is None:
    pass  # a mistake that never ends
```"""),
    ("wall time limit of 1 s exceeded", """That was wrong. Names are still there.
```python
worst, amount = debts.most_common(1)[0]
notify(worst, f"please pay {amout:.2f}")
```"""),
    ("NameError: name 'amout' is not defined", """A slip.
```python
worst, amount = debts.most_common(1)[0]
notify(worst, f"please pay {amount:.2f}")
```"""),
    ("Done", "Customers owe 349.50. Blaise, who owes most (250.00), has been reminded."),
    ("Who else", """The session still knows.
```python
sorted(name for name in debts if name != worst)
```"""),
    ('Value: ["Ada"]', "Ada owes something, too."),
]


class ScriptedModel:
    def __init__(self):
        self.script = iter(SCRIPT)

    async def reply(self, told: str) -> str:
        expected, reply = next(self.script)
        if expected not in told:
            raise AssertionError(f"the model expected to hear {expected!r}, but was told {told!r}")
        return reply
