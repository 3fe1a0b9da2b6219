#!/usr/bin/env python3
"""An agent that answers questions by writing Python, which runs in an eryx sandbox.

    python3 agent.py

The loop is the usual one: ask the model, run the code it writes, tell it what came out, until it answers
without code. What the sandbox adds: the model's code may be wrong or hostile, and nothing bad comes of it.

- It reaches the outside through two functions only: `orders(customer)` and `notify(customer, text)`.
- The session lives on from step to step: what one step computes, the next one uses.
- An exception, with its traceback, goes back to the model; an endless loop ends by its limit, and the
  session is as it was before.
- What a step may do to customers is tried on a fork of the session first (`dry_run`).
- In the end the session is a checkpoint: the follow-up question is answered from it.
"""
import asyncio
import re
from dataclasses import dataclass

import eryx
from model import ScriptedModel

MAX_STEPS = 10


@dataclass
class Order:
    number: int
    item: str
    price: float
    paid: bool


ORDERS = {
    "Ada": [Order(1, "compass", 40.0, True), Order(2, "abacus", 99.5, False)],
    "Blaise": [Order(3, "calculator", 250.0, False)],
    "Grace": [Order(4, "notebook", 5.25, True)],
}


class Shop:
    """The functions that the model's code may call, and what they did."""

    def __init__(self):
        self.sent, self.dry_run = [], False

    async def orders(self, customer: str | None = None) -> list[Order]:
        """Orders of a customer, or of all.

        Args:
            customer: name; None: of all customers
        """
        await asyncio.sleep(0.01)  # a database would take as long
        if customer is None:
            return [order for orders in ORDERS.values() for order in orders]
        if customer not in ORDERS:
            raise LookupError(f"no customer {customer}; there are {', '.join(ORDERS)}")
        return ORDERS[customer]

    def notify(self, customer: str, text: str) -> None:
        """Sends a customer a message."""
        if not self.dry_run:
            self.sent.append(f"to {customer}: {text}")

    @property
    def callbacks(self):
        return [self.orders, self.notify]


def code_of(reply: str) -> str | None:
    """The code in a reply of the model; None: the reply is the answer."""
    found = re.search(r"```python\n(.*?)```", reply, re.S)
    return found[1] if found else None


async def run_step(session: eryx.Session, code: str) -> str:
    """Runs code; returns what the model is to know of it."""
    outcome = await session.execute(code, check=False, filename="step.py")
    told = outcome.stdout
    if outcome.kind == "exception":
        told += outcome.traceback
    elif not outcome.ok:
        told += f"Stopped: {outcome.exception_message}. The session is as it was before.\n"
    elif outcome.value_json not in (None, "null"):
        told += f"Value: {outcome.value_json}\n"
    return told or "Done, without output.\n"


async def try_step(session: eryx.Session, shop: Shop, code: str) -> str:
    """Runs code on a copy of the session first, where messages are not sent; then in earnest, unless that
    failed."""
    [copy] = await session.fork()
    async with copy:
        shop.dry_run = True
        try:
            outcome = await copy.execute(code, check=False, filename="step.py")
        finally:
            shop.dry_run = False
    if not outcome.ok:
        print("   (dry run failed: nothing was sent)")
        return outcome.traceback or f"Stopped: {outcome.exception_message}.\n"
    return await run_step(session, code)


async def answer(session: eryx.Session, shop: Shop, model: ScriptedModel, question: str) -> str:
    """The agent's loop."""
    print(f"QUESTION {question}")
    told = question
    for step in range(1, MAX_STEPS + 1):
        reply = await model.reply(told)
        code = code_of(reply)
        if code is None:
            print(f"ANSWER {reply}\n")
            return reply
        print(f"-- step {step}\n{code.rstrip()}")
        told = await (try_step(session, shop, code) if "notify(" in code else run_step(session, code))
        print("=> " + told.rstrip().replace("\n", "\n   "))
    raise RuntimeError(f"no answer after {MAX_STEPS} steps")


async def main():
    shop, model = Shop(), ScriptedModel()
    limits = eryx.Limits(wall_time=1, memory="128M", output="64K", total_calls=100)
    async with eryx.Session(callbacks=shop.callbacks, limits=limits) as session:
        await answer(session, shop, model, "How much do customers owe us? Remind those who owe most.")
        checkpoint = await session.checkpoint()
    async with await eryx.Session.from_checkpoint(checkpoint, callbacks=shop.callbacks,
                                                  limits=limits) as session:
        await answer(session, shop, model, "Who else owes us something?")
    for message in shop.sent:
        print("SENT", message)


if __name__ == "__main__":
    asyncio.run(main())
