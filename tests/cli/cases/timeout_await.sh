eryx run --timeout 300ms -c 'import asyncio; await asyncio.sleep(60)'
