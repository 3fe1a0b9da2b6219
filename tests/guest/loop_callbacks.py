"""Callbacks of the event loop, which C makes and runs."""
import asyncio
import contextvars
import inspect

variable = contextvars.ContextVar("variable", default="default")


def failing(loop, errors, number):
    def handler(_, context):
        errors.append((type(context["exception"]).__name__, context["message"].split("(")[0],
                       context["handle"]._callback))
    loop.set_exception_handler(handler)
    return 1 // number


async def main():
    loop = asyncio.get_running_loop()
    seen, errors = [], []

    first = loop.call_soon(seen.append, "first")
    print(type(first) is asyncio.Handle, first.cancelled(), first._loop is loop)
    second = loop.call_soon(seen.append, "never")
    second.cancel()
    third = []
    loop.call_soon(lambda: third[0].cancel())
    third.append(loop.call_soon(seen.append, "cancelled by the one before"))
    loop.call_soon(failing, loop, errors, 0)
    loop.call_soon(seen.append)
    loop.call_soon(seen.append, "after the failures")
    await asyncio.sleep(0)
    print(seen, [error[:2] for error in errors], second)
    loop.set_exception_handler(None)

    variable.set("outer")
    context = contextvars.copy_context()
    context.run(variable.set, "inner")
    loop.call_soon(lambda: print("copied", variable.get()))
    loop.call_soon(lambda: print("given", variable.get()), context=context)
    loop.call_soon(variable.set, "of a callback")
    await asyncio.sleep(0)
    print("kept", variable.get())

    for arguments, keywords in ((), {}), ((print,), {"other": 1}), ((print,), {"context": 5}):
        try:
            handle = loop.call_soon(*arguments, **keywords)
            handle.cancel()
            print("made", handle.cancelled())
        except TypeError as error:
            print("TypeError", error)
    loop.call_soon(callback=lambda: print("by name"))
    await asyncio.sleep(0)
    print(inspect.signature(loop.call_soon))

    loop.set_debug(True)
    print(loop.call_soon(print, "in debug mode")._source_traceback is not None)
    try:
        loop.call_soon("text")
    except TypeError as error:
        print("TypeError", error)
    loop.set_debug(False)
    loop.call_soon("text")
    loop.set_exception_handler(lambda _, info: print(repr(info["exception"])))
    await asyncio.sleep(0)
    loop.set_exception_handler(None)


asyncio.run(main())

closed = asyncio.new_event_loop()
closed.close()
try:
    closed.call_soon(print)
except RuntimeError as error:
    print(error)


for exception in KeyboardInterrupt, SystemExit:
    def leave():
        raise exception("left")

    async def leaving():
        asyncio.get_running_loop().call_soon(leave)
        await asyncio.sleep(1)
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(leaving())
    except BaseException as error:
        print(repr(error))
    loop.close()


class Counting(asyncio.SelectorEventLoop):
    made = 0

    def call_soon(self, callback, *args, context=None):
        Counting.made += 1
        return super().call_soon(callback, *args, context=context)


async def few():
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))

with asyncio.Runner(loop_factory=Counting) as runner:
    runner.run(few())
print(Counting.made > 4)
