# Loops made with a selector, as programs do that want another than the default.
import asyncio
import selectors

loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
print(loop.run_until_complete(asyncio.sleep(0, 'loop')))
loop.close()
with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.DefaultSelector())) as runner:
    print(runner.run(asyncio.sleep(0, 'runner')))
