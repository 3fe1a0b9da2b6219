//! Named checks: running them, and comparing what they got.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use wasmtime::{bail, Result};

use crate::host::Answer;

/// A check that takes longer hangs: the longest takes about a second on a slow machine.
const LIMIT: Duration = Duration::from_secs(60);

pub struct Tally {
    patterns: Vec<String>,
    passed: u32,
    failed: u32,
}

impl Tally {
    pub fn new(patterns: Vec<String>) -> Tally {
        Tally { patterns, passed: 0, failed: 0 }
    }

    pub async fn check(&mut self, name: &str, work: impl Future<Output = Result<()>>) {
        if !self.patterns.is_empty() && !self.patterns.iter().any(|part| name.contains(part)) {
            return;
        }
        let outcome = match tokio::time::timeout(LIMIT, work).await {
            Ok(outcome) => outcome.map_err(|error| format!("{error:#}")),
            Err(_) => Err(format!("expected an end, got none in {} s", LIMIT.as_secs())),
        };
        match outcome {
            Ok(()) => {
                self.passed += 1;
                println!("ok {name}");
            }
            Err(why) => {
                self.failed += 1;
                println!("FAIL {name}: {why}");
            }
        }
    }

    /// Prints the sum; true if there was something to check and nothing failed.
    pub fn report(&self) -> bool {
        println!("{} passed, {} failed", self.passed, self.failed);
        self.passed > 0 && self.failed == 0
    }
}

pub fn equal<T: PartialEq + Debug + ?Sized>(expected: &T, got: &T) -> Result<()> {
    if expected == got {
        return Ok(());
    }
    bail!("expected {expected:?}, got {got:?}")
}

/// What `execute` gave is this ok value.
pub fn output(expected: &str, got: Result<Answer<String>>) -> Result<()> {
    equal(&Ok(expected.to_string()), &got?)
}

/// An error value (of any of the guest's functions) with this text in it.
pub fn refused<T: Debug>(part: &str, got: Answer<T>) -> Result<()> {
    match got {
        Err(why) if !why.is_empty() && why.contains(part) => Ok(()),
        other => bail!("expected an error value with {part:?}, got {other:?}"),
    }
}

/// What `execute` gave is this error value.
pub fn error(expected: &str, got: Result<Answer<String>>) -> Result<()> {
    equal(&Err(expected.to_string()), &got?)
}
