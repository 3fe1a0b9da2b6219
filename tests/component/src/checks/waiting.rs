//! Timers, and stopping a guest that does not wait.

use wasmtime::{bail, Result, Trap};

use crate::check::{equal, output, Tally};
use crate::host::{Setup, World};

pub async fn all(world: &World, tally: &mut Tally) {
    tally.check("waiting-sleep", sleep(world)).await;
    tally.check("waiting-time-sleep", time_sleep(world)).await;
    tally.check("waiting-timeout", timeout(world)).await;
    tally.check("waiting-interrupt", interrupt(world)).await;
}

/// The order and the time are the guest's.
async fn sleep(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let code = "import asyncio, time\norder = []\n\
                async def nap(name, seconds):\n    start = time.monotonic()\n\
                \x20   await asyncio.sleep(seconds)\n    order.append(name)\n\
                \x20   return time.monotonic() - start >= seconds\n\
                print(await asyncio.gather(nap('long', 0.5), nap('short', 0.02)), order)";
    output("[True, True] ['short', 'long']\n", sandbox.execute(code).await)
}

/// Waits inside of the guest, on the stack.
async fn time_sleep(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let code = "import time\nstart = time.monotonic()\ntime.sleep(0.03)\n\
                print(0.03 <= time.monotonic() - start < 20)";
    output("True\n", sandbox.execute(code).await)?;
    let code = "import asyncio\nasync def main():\n    await asyncio.sleep(0.02)\n    return 5\n\
                def f():\n    return asyncio.run(main())\nprint(f())";
    output("5\n", sandbox.execute(code).await)
}

async fn timeout(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let code = "import asyncio\ntry:\n    async with asyncio.timeout(0.02):\n\
                \x20       await asyncio.sleep(3600)\nexcept TimeoutError:\n    print('timeout')";
    output("timeout\n", sandbox.execute(code).await)?;
    output("after\n", sandbox.execute("await asyncio.sleep(0.01)\nprint('after')").await)
}

async fn interrupt(world: &World) -> Result<()> {
    let mut sandbox = world.start_with(Setup { ticks: 3, ..Setup::default() }).await?;
    match sandbox.execute("while True:\n    pass").await {
        Ok(answer) => bail!("expected an interruption, got {answer:?}"),
        Err(error) => equal(&Some(&Trap::Interrupt), &error.downcast_ref::<Trap>()),
    }
}
