//! The component as a file.

use std::path::Path;

use wasmparser::{Validator, WasmFeatures};
use wasmtime::Result;

use crate::check::Tally;

pub async fn all(component: &Path, tally: &mut Tally) {
    tally.check("binary-valid", valid(component)).await;
}

/// What `wasm-tools validate` does, with the features that are on in it by default and async.
async fn valid(component: &Path) -> Result<()> {
    let bytes = std::fs::read(component)?;
    let features = WasmFeatures::default() | WasmFeatures::CM_ASYNC;
    Validator::new_with_features(features).validate_all(&bytes)?;
    Ok(())
}
