//! `snapshot-state`, `restore-state` and `clear-state`.

use wasmtime::{bail, Result};

use crate::check::{equal, output, refused, Tally};
use crate::host::{Sandbox, World};

pub async fn all(world: &World, tally: &mut Tally) {
    tally.check("state-clear", clear(world)).await;
    tally.check("state-restore", restore(world)).await;
    tally.check("state-restore-elsewhere", restore_elsewhere(world)).await;
    tally.check("state-restore-damaged", restore_damaged(world)).await;
    tally.check("state-snapshot-refused", snapshot_refused(world)).await;
}

const DEFINE: &str = "import math\nitems = [1, {'a': (2.5, None)}]\n\
                      def total(n):\n    return n + math.floor(items[1]['a'][0])\n\
                      class Point:\n    def __init__(self, x):\n        self.x = x\np = Point(7)";
const USE: &str = "print(items, total(1), p.x, Point(8).x)";
const USED: &str = "[1, {'a': (2.5, None)}] 3 7 8\n";

async fn snapshot(sandbox: &mut Sandbox) -> Result<Vec<u8>> {
    match sandbox.snapshot().await? {
        Ok(data) => Ok(data),
        Err(why) => bail!("expected a snapshot, got {why:?}"),
    }
}

async fn assert_empty(sandbox: &mut Sandbox) -> Result<()> {
    let code = "try:\n    items\nexcept NameError as error:\n    print(error)";
    output("name 'items' is not defined\n", sandbox.execute(code).await)
}

async fn clear(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    output("", sandbox.execute(DEFINE).await)?;
    sandbox.clear().await?;
    assert_empty(&mut sandbox).await
}

async fn restore(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    output("", sandbox.execute(DEFINE).await)?;
    let data = snapshot(&mut sandbox).await?;
    output("", sandbox.execute("items.clear()\np.x = 0").await)?;
    sandbox.clear().await?;
    assert_empty(&mut sandbox).await?;
    equal(&Ok(()), &sandbox.restore(&data).await?)?;
    output(USED, sandbox.execute(USE).await)
}

async fn restore_elsewhere(world: &World) -> Result<()> {
    let mut first = world.start().await?;
    output("", first.execute(DEFINE).await)?;
    let data = snapshot(&mut first).await?;
    drop(first);
    let mut second = world.start().await?;
    equal(&Ok(()), &second.restore(&data).await?)?;
    output(USED, second.execute(USE).await)
}

/// Refused with a reason, and the session is as it was.
async fn restore_damaged(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    output("", sandbox.execute(DEFINE).await)?;
    let good = snapshot(&mut sandbox).await?;
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x20;
    for data in [&b""[..], b"no snapshot", &good[..good.len() - 1], &flipped] {
        refused("", sandbox.restore(data).await?)?;
        output(USED, sandbox.execute(USE).await)?;
    }
    Ok(())
}

async fn snapshot_refused(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    output("", sandbox.execute("numbers = (n for n in range(3))\nx = 1").await)?;
    refused("numbers", sandbox.snapshot().await?)?;
    output("0 1\n", sandbox.execute("print(next(numbers), x)").await)
}
