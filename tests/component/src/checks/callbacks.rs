//! Callbacks: `list-callbacks` and `invoke`, which returns to the host while it waits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use wasmtime::Result;

use crate::check::{equal, output, refused, Tally};
use crate::host::{Answer, CallbackInfo, Sandbox, Setup, World};

pub async fn all(world: &World, tally: &mut Tally) {
    tally.check("callbacks-list", list(world)).await;
    tally.check("callbacks-call", call(world)).await;
    tally.check("callbacks-overlap", overlap(world)).await;
    tally.check("callbacks-thousand", thousand(world)).await;
    tally.check("callbacks-large", large(world)).await;
    tally.check("callbacks-error", error(world)).await;
    tally.check("callbacks-cancel", cancel(world)).await;
    tally.check("callbacks-blocking-wait", blocking_wait(world)).await;
}

/// How long a call waits for the others before it fails.
const OTHERS: Duration = Duration::from_secs(20);

/// What happens at the host, in order, and how many calls have begun and ended.
struct Events {
    log: Mutex<Vec<String>>,
    begun: watch::Sender<usize>,
    ended: watch::Sender<usize>,
}

impl Events {
    fn new() -> Arc<Events> {
        Arc::new(Events {
            log: Mutex::default(),
            begun: watch::Sender::new(0),
            ended: watch::Sender::new(0),
        })
    }

    fn add(&self, text: impl Into<String>) {
        self.log.lock().unwrap().push(text.into());
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

async fn reach(count: &watch::Sender<usize>, wanted: usize) -> Answer<()> {
    let mut seen = count.subscribe();
    let result = match tokio::time::timeout(OTHERS, seen.wait_for(|&now| now >= wanted)).await {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{} of {wanted} calls in {OTHERS:?}", *count.borrow())),
    };
    result
}

/// Says so when the host drops a call that is not done.
struct Dropped(Arc<Events>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add("dropped");
    }
}

fn info(name: &str, description: &str, schema: &str) -> CallbackInfo {
    CallbackInfo {
        name: name.to_string(),
        description: description.to_string(),
        parameters_schema_json: schema.to_string(),
    }
}

/// `together` ends when `count` calls have begun, the later ones first.
async fn together(events: Arc<Events>, count: usize, arguments: String) -> Answer<String> {
    let number = *events.begun.borrow();
    events.add(format!("begin {arguments}"));
    events.begun.send_modify(|begun| *begun += 1);
    reach(&events.begun, count).await?;
    reach(&events.ended, count - 1 - number).await?;
    events.add(format!("end {arguments}"));
    events.ended.send_modify(|ended| *ended += 1);
    Ok(arguments)
}

async fn never(events: Arc<Events>) -> Answer<String> {
    let _dropped = Dropped(events.clone());
    events.add("begin");
    std::future::pending().await
}

/// A sandbox with all callbacks of these checks; `together` waits for `count`.
async fn start(world: &World, count: usize, events: &Arc<Events>) -> Result<Sandbox> {
    let value = r#"{"type": "object", "properties": {"value": {}}, "required": ["value"]}"#;
    let events = events.clone();
    let setup = Setup {
        callbacks: vec![
            info("echo", "Gives its argument back.", value),
            info("math.add", "Adds.", r#"{"properties": {"a": {"type": "integer"}, "b": {}}}"#),
            info("together", "Waits for others.", value),
            info("fail", "Fails.", "{}"),
            info("never", "Has no end.", "{}"),
        ],
        invoke: Arc::new(move |name, arguments| {
            let events = events.clone();
            Box::pin(async move {
                match name.as_str() {
                    "echo" | "math.add" => Ok(arguments),
                    "together" => together(events, count, arguments).await,
                    "fail" => Err("it failed: é".to_string()),
                    "never" => never(events).await,
                    other => Err(format!("no callback {other}")),
                }
            })
        }),
        ..Setup::default()
    };
    world.start_with(setup).await
}

async fn list(world: &World) -> Result<()> {
    let mut sandbox = start(world, 0, &Events::new()).await?;
    let code = "for item in list_callbacks()[:2]:\n\
                \x20   print(item['name'], item['description'], item['parameters_schema'])";
    output(
        "echo Gives its argument back. {'type': 'object', 'properties': {'value': {}}, \
         'required': ['value']}\n\
         math.add Adds. {'properties': {'a': {'type': 'integer'}, 'b': {}}}\n",
        sandbox.execute(code).await,
    )
}

async fn call(world: &World) -> Result<()> {
    let mut sandbox = start(world, 0, &Events::new()).await?;
    let code = "print(await echo(value=[1, 'é', None]), await echo(2), await math.add(1, b=2))";
    output(
        "{'value': [1, 'é', None]} {'value': 2} {'a': 1, 'b': 2}\n",
        sandbox.execute(code).await,
    )?;
    let code = "async def f(n):\n    return (await echo(value=n))['value']\n\
                print(sum([await f(n) for n in range(100)]))";
    output("4950\n", sandbox.execute(code).await)
}

/// Both begin before either ends, and they end in the other order.
async fn overlap(world: &World) -> Result<()> {
    let events = Events::new();
    let mut sandbox = start(world, 2, &events).await?;
    let code = "import asyncio\nprint(await asyncio.gather(together(1), together(2)))";
    output("[{'value': 1}, {'value': 2}]\n", sandbox.execute(code).await)?;
    let expected = [
        "begin {\"value\": 1}",
        "begin {\"value\": 2}",
        "end {\"value\": 2}",
        "end {\"value\": 1}",
    ];
    equal(&expected[..], &events.log().iter().map(String::as_str).collect::<Vec<_>>()[..])
}

async fn thousand(world: &World) -> Result<()> {
    let mut sandbox = start(world, 1000, &Events::new()).await?;
    let code = "import asyncio\n\
                done = await asyncio.gather(*[together(n) for n in range(1000)])\n\
                print([item['value'] for item in done] == list(range(1000)))";
    output("True\n", sandbox.execute(code).await)
}

async fn large(world: &World) -> Result<()> {
    let mut sandbox = start(world, 0, &Events::new()).await?;
    let code = "text = 'é' * 5_000_000\nprint((await echo(text))['value'] == text)";
    output("True\n", sandbox.execute(code).await)
}

async fn error(world: &World) -> Result<()> {
    let mut sandbox = start(world, 0, &Events::new()).await?;
    let code = "try:\n    await fail()\nexcept Exception as error:\n    print(error)";
    output("it failed: é\n", sandbox.execute(code).await)?;
    let code = "await fail()";
    refused("it failed: é\n", sandbox.execute(code).await?)?;
    output("{'value': 1}\n", sandbox.execute("print(await echo(1))").await)
}

/// The host's future is dropped when Python gives up on it.
async fn cancel(world: &World) -> Result<()> {
    let events = Events::new();
    let mut sandbox = start(world, 0, &events).await?;
    let code = "import asyncio\ntry:\n    async with asyncio.timeout(0.02):\n\
                \x20       await never()\nexcept TimeoutError:\n    print('timeout')\n\
                print(await echo(1))";
    output("timeout\n{'value': 1}\n", sandbox.execute(code).await)?;
    equal(&["begin".to_string(), "dropped".to_string()][..], &events.log()[..])
}

/// Calls from inside of plain functions wait on the guest's stack, and still overlap.
async fn blocking_wait(world: &World) -> Result<()> {
    let events = Events::new();
    let mut sandbox = start(world, 2, &events).await?;
    let code = "import asyncio\nasync def main():\n\
                \x20   return await asyncio.gather(together(1), together(2))\n\
                def f():\n    return asyncio.run(main())\nprint(f())";
    output("[{'value': 1}, {'value': 2}]\n", sandbox.execute(code).await)?;
    equal(&4, &events.log().len())
}
