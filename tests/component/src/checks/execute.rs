//! `execute` for code that waits for nothing: output, errors, standard streams.

use wasmtime::{bail, Result};
use wasmtime_wasi::I32Exit;

use crate::check::{equal, error, output, refused, Tally};
use crate::host::{Setup, World};

pub async fn all(world: &World, tally: &mut Tally) {
    tally.check("execute-output", plain(world)).await;
    tally.check("execute-nothing", nothing(world)).await;
    tally.check("execute-names-persist", names(world)).await;
    tally.check("execute-top-level-await", top_level_await(world)).await;
    tally.check("execute-large", large(world)).await;
    tally.check("execute-syntax-error", syntax_error(world)).await;
    tally.check("execute-exception", exception(world)).await;
    tally.check("execute-recursion", recursion(world)).await;
    tally.check("execute-exit", exit(world)).await;
    tally.check("streams-stderr", stderr(world)).await;
    tally.check("streams-stdin", stdin(world)).await;
}

async fn plain(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    output("Grüße 3\n", sandbox.execute("print('Grüße', 1 + 2)").await)?;
    output("second\n", sandbox.execute("print('second')").await)?;
    equal(&(String::new(), String::new()), &sandbox.streams())
}

async fn nothing(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    output("", sandbox.execute("").await)?;
    output("", sandbox.execute("x = 1").await)
}

async fn names(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    output("", sandbox.execute("import math\ndef area(r):\n    return math.pi * r * r").await)?;
    output("12.57\n", sandbox.execute("print(f'{area(2):.2f}')").await)
}

async fn top_level_await(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let code = "import asyncio\nasync def f(n):\n    return n + 1\nprint(await f(1))\n\
                print(await asyncio.sleep(0, 'slept'))";
    output("2\nslept\n", sandbox.execute(code).await)
}

/// Strings of megabytes, both ways.
async fn large(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let code = format!("print(len('{}'))", "x".repeat(3_000_000));
    output("3000000\n", sandbox.execute(&code).await)?;
    let expected = format!("{}\n", "é".repeat(2_000_000));
    output(&expected, sandbox.execute("print('é' * 2_000_000)").await)
}

async fn syntax_error(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let expected = "  File \"<eryx>\", line 2\n    y = = 2\n        ^\n\
                    SyntaxError: invalid syntax\n";
    error(expected, sandbox.execute("x = 1\ny = = 2").await)?;
    output("on\n", sandbox.execute("print('on')").await)
}

async fn exception(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let expected = "Traceback (most recent call last):\n\
                    \x20 File \"<eryx>\", line 4, in <module>\n    f()\n    ~^^\n\
                    \x20 File \"<eryx>\", line 2, in f\n    raise ValueError('no')\n\
                    ValueError: no\n";
    error(expected, sandbox.execute("def f():\n    raise ValueError('no')\n\nf()").await)?;
    output("on\n", sandbox.execute("print('on')").await)
}

/// In Python and in C.
async fn recursion(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    for deep in ["f()", "json.loads('[' * 10**6)", "repr(nested)"] {
        let code = format!(
            "import json\ndef f():\n    f()\nnested = []\nfor _ in range(10**5):\n    \
             nested = [nested]\ntry:\n    {deep}\nexcept RecursionError:\n    print('error')"
        );
        output("error\n", sandbox.execute(&code).await)?;
    }
    Ok(())
}

/// `wasi:cli/exit` ends the instance, not the host.
async fn exit(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let ended = sandbox.execute("import os\nos._exit(3)").await;
    match ended {
        Ok(answer) => bail!("expected an exit, got {answer:?}"),
        Err(error) => equal(&Some(1), &error.downcast_ref::<I32Exit>().map(|exit| exit.0)),
    }
}

async fn stderr(world: &World) -> Result<()> {
    let mut sandbox = world.start().await?;
    let code = "import sys\nprint('out')\nprint('err', file=sys.stderr)";
    output("out\n", sandbox.execute(code).await)?;
    equal(&(String::new(), "err\n".to_string()), &sandbox.streams())
}

async fn stdin(world: &World) -> Result<()> {
    let setup = Setup { stdin: "first\nsecond\nthird", ..Setup::default() };
    let mut sandbox = world.start_with(setup).await?;
    let code = "import sys\nprint([input(), sys.stdin.read()])\ninput()";
    refused("EOFError: EOF when reading a line\n", sandbox.execute(code).await?)?;
    let mut sandbox = world.start_with(Setup { stdin: "1\n2\n", ..Setup::default() }).await?;
    output(
        "['1', '2\\n', '']\n",
        sandbox
            .execute("import sys\nprint([input(), sys.stdin.readline(), sys.stdin.read()])")
            .await,
    )
}
