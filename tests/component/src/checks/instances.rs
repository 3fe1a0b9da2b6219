//! More than one instance, more than one call.

use std::sync::Arc;

use tokio::sync::Barrier;
use wasmtime::Result;

use crate::check::{equal, output, refused, Tally};
use crate::host::{Answer, CallbackInfo, Sandbox, Setup, World};

pub async fn all(world: &World, tally: &mut Tally) {
    tally.check("instances-separate", separate(world)).await;
    tally.check("instances-both-in-a-call", both_in_a_call(world)).await;
    tally.check("instances-random", random(world)).await;
    tally.check("instances-second-execute", second_execute(world)).await;
}

async fn separate(world: &World) -> Result<()> {
    let (mut first, mut second) = (world.start().await?, world.start().await?);
    output("", first.execute("x = 'first'\nopen('/tmp/name', 'w').write(x)").await)?;
    output("", second.execute("x = 'second'").await)?;
    output("first\n", first.execute("print(x)").await)?;
    let code = "import os\nprint(x, os.path.exists('/tmp/name'))";
    output("second False\n", second.execute(code).await)
}

/// `meet` returns when both instances have called it.
async fn start_meeting(world: &World, barrier: Arc<Barrier>) -> Result<Sandbox> {
    let setup = Setup {
        callbacks: vec![CallbackInfo {
            name: "meet".to_string(),
            description: "Waits for the other.".to_string(),
            parameters_schema_json: "{}".to_string(),
        }],
        invoke: Arc::new(move |_, _| {
            let barrier = barrier.clone();
            Box::pin(async move {
                barrier.wait().await;
                Ok("\"met\"".to_string())
            })
        }),
        ..Setup::default()
    };
    world.start_with(setup).await
}

/// Both on this thread: neither can hold it while it waits.
async fn both_in_a_call(world: &World) -> Result<()> {
    let barrier = Arc::new(Barrier::new(2));
    let mut first = start_meeting(world, barrier.clone()).await?;
    let mut second = start_meeting(world, barrier).await?;
    let code = "print(await meet())";
    let (one, other) = tokio::join!(first.execute(code), second.execute(code));
    output("met\n", one)?;
    output("met\n", other)
}

/// The image they begin with is the same; what they draw must not be.
async fn random(world: &World) -> Result<()> {
    let code = "import random, uuid\nprint(random.random(), uuid.uuid4(), hash('x'))";
    let (mut first, mut second) = (world.start().await?, world.start().await?);
    let (one, other) = (first.execute(code).await?, second.execute(code).await?);
    let words = |answer: Answer<String>| -> Vec<String> {
        answer.unwrap_or_default().split_whitespace().map(String::from).collect()
    };
    let (one, other) = (words(one), words(other));
    equal(&(3, 3), &(one.len(), other.len()))?;
    let same = (0..2).filter(|&i| one[i] == other[i]).count();
    equal(&0, &same)
}

/// The component model allows a second call while the first waits; a session runs one at a time.
async fn second_execute(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let execute = sandbox.execute;
    let (first, second) = sandbox
        .store
        .run_concurrent(async |accessor| {
            let long = "import asyncio\nawait asyncio.sleep(0.3)\nprint('long')".to_string();
            tokio::join!(
                execute.call_concurrent(accessor, (long,)),
                execute.call_concurrent(accessor, ("print('short')".to_string(),)),
            )
        })
        .await?;
    equal(&Ok("long\n".to_string()), &first?.0)?;
    refused("", second?.0)?;
    output("after\n", sandbox.execute("print('after')").await)
}
