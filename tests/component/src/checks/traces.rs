//! `report-trace`, which is silent until it is asked for.

use wasmtime::component::Val;
use wasmtime::Result;

use crate::check::{equal, output, Tally};
use crate::host::World;

pub async fn all(world: &World, tally: &mut Tally) {
    tally.check("traces-off", off(world)).await;
    // A runtime without traces has no such import, which wit.mjs reports.
    if world.imports("report-trace") {
        tally.check("traces-lines", lines(world)).await;
    }
}

const CODE: &str = "def f(n):\n    return n + 1\n\nprint(f(1))";

async fn off(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    output("2\n", sandbox.execute(CODE).await)?;
    equal(&0, &sandbox.store.data().traces.len())
}

async fn lines(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let settings = [("capture-output", Val::Bool(true)), ("trace", Val::Bool(true))];
    sandbox.configure(&settings).await?;
    output("2\n", sandbox.execute(CODE).await)?;
    let traces = &sandbox.store.data().traces;
    let lines: Vec<u32> = traces
        .iter()
        .filter(|trace| trace.event.contains("\"type\":\"line\""))
        .map(|trace| trace.lineno)
        .collect();
    equal(&vec![1, 4, 2], &lines)
}
