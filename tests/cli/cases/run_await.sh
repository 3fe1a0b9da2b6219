eryx run -c 'import asyncio; print(await asyncio.sleep(0.01, 5))'
