//! A host of runtime.wasm that knows nothing of eryx but the functions of its world and WASI.
//!
//!     component-host RUNTIME.WASM CACHE_FOLDER [PATTERN...]
//!
//! Drives the component with the stock `wasmtime` crate and prints `ok NAME` or
//! `FAIL NAME: expected ..., got ...` for every check (those whose name contains a PATTERN), at
//! the end `N passed, N failed`. The compiled component is kept in CACHE_FOLDER.

mod check;
mod checks;
mod host;

use std::path::Path;
use std::process::ExitCode;

use check::Tally;
use host::World;

async fn run(component: &Path, cache: &Path, patterns: Vec<String>) -> wasmtime::Result<bool> {
    let world = World::open(component, cache)?;
    let mut tally = Tally::new(patterns);
    checks::binary::all(component, &mut tally).await;
    checks::execute::all(&world, &mut tally).await;
    checks::callbacks::all(&world, &mut tally).await;
    checks::waiting::all(&world, &mut tally).await;
    checks::state::all(&world, &mut tally).await;
    checks::traces::all(&world, &mut tally).await;
    checks::instances::all(&world, &mut tally).await;
    Ok(tally.report())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(component), Some(cache)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: component-host RUNTIME.WASM CACHE_FOLDER [PATTERN...]");
        return ExitCode::from(2);
    };
    match run(Path::new(&component), Path::new(&cache), arguments.collect()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("component-host: {component}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
