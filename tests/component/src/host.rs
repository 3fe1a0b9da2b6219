//! The host: engine, imports of the component, and instances of it.

use std::collections::hash_map::DefaultHasher;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::types::Type;
use wasmtime::component::{
    Accessor, Component, ComponentType, Instance, Lift, Linker, Lower, ResourceTable, TypedFunc,
    Val,
};
use wasmtime::{bail, Config, Engine, Result, Store, StoreContextMut};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

const TICK: Duration = Duration::from_millis(20);
/// Running for so many ticks without returning to the host is an error.
const TICKS_MAX: u64 = 2500;
/// With less, deep recursion in C is a trap instead of Python's RecursionError.
const STACK_BYTES: usize = 32 << 20;
const OUTPUT_MAX: usize = 1 << 20;

/// The result of the guest's functions: `result<T, string>`.
pub type Answer<T> = std::result::Result<T, String>;

#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
pub struct CallbackInfo {
    pub name: String,
    pub description: String,
    #[component(name = "parameters-schema-json")]
    pub parameters_schema_json: String,
}

pub type Pending = Pin<Box<dyn Future<Output = Answer<String>> + Send>>;
/// What `invoke` does: name and arguments in, a result when the future is done.
pub type Invoke = Arc<dyn Fn(String, String) -> Pending + Send + Sync>;

#[derive(Debug, PartialEq)]
pub struct Trace {
    pub lineno: u32,
    pub event: String,
    pub context: String,
}

/// What an instance's imports refer to.
pub struct Host {
    wasi: WasiCtx,
    resources: ResourceTable,
    callbacks: Vec<CallbackInfo>,
    invoke: Invoke,
    pub traces: Vec<Trace>,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

/// How to start an instance; the default has no callbacks and empty standard streams.
pub struct Setup {
    pub stdin: &'static str,
    pub callbacks: Vec<CallbackInfo>,
    pub invoke: Invoke,
    /// Ticks until a running call is stopped.
    pub ticks: u64,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            stdin: "",
            callbacks: Vec::new(),
            invoke: Arc::new(|name, _| Box::pin(async move { Err(format!("no {name} here")) })),
            ticks: TICKS_MAX,
        }
    }
}

/// The component, ready to be instantiated.
pub struct World {
    engine: Engine,
    component: Component,
    linker: Linker<Host>,
}

impl World {
    pub fn open(path: &Path, cache: &Path) -> Result<World> {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        config.epoch_interruption(true);
        config.max_wasm_stack(STACK_BYTES);
        config.async_stack_size(STACK_BYTES + (2 << 20));
        let engine = Engine::new(&config)?;
        let component = load(&engine, path, cache)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        add_world(&mut linker)?;
        let ticking = engine.clone();
        std::thread::spawn(move || loop {
            std::thread::sleep(TICK);
            ticking.increment_epoch();
        });
        Ok(World { engine, component, linker })
    }

    /// Whether the component imports this function of its world.
    pub fn imports(&self, name: &str) -> bool {
        self.component.component_type().get_import(&self.engine, name).is_some()
    }

    pub async fn start(&self) -> Result<Sandbox> {
        self.start_with(Setup::default()).await
    }

    pub async fn start_with(&self, setup: Setup) -> Result<Sandbox> {
        let (stdout, stderr) =
            (MemoryOutputPipe::new(OUTPUT_MAX), MemoryOutputPipe::new(OUTPUT_MAX));
        let wasi = WasiCtx::builder()
            .stdin(MemoryInputPipe::new(setup.stdin))
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .build();
        let host = Host {
            wasi,
            resources: ResourceTable::new(),
            callbacks: setup.callbacks,
            invoke: setup.invoke,
            traces: Vec::new(),
        };
        let mut store = Store::new(&self.engine, host);
        store.set_epoch_deadline(TICKS_MAX);
        let instance = self.linker.instantiate_async(&mut store, &self.component).await?;
        Sandbox::new(store, instance, setup.ticks, stdout, stderr)
    }
}

/// Compiles the component, or takes what was compiled of the same bytes by the same engine.
fn load(engine: &Engine, path: &Path, cache: &Path) -> Result<Component> {
    let bytes = std::fs::read(path)?;
    let mut key = DefaultHasher::new();
    bytes.hash(&mut key);
    engine.precompile_compatibility_hash().hash(&mut key);
    let compiled = cache.join(format!("{:016x}.cwasm", key.finish()));
    if !compiled.exists() {
        let temporary = cache.join(format!("compiling-{}", std::process::id()));
        std::fs::create_dir_all(cache)?;
        remove_compiled(cache)?;
        std::fs::write(&temporary, engine.precompile_component(&bytes)?)?;
        std::fs::rename(&temporary, &compiled)?;
    }
    // SAFETY: only this function writes files of this name, whole.
    unsafe { Component::deserialize_file(engine, &compiled) }
}

/// Each is 50 MB, and only the newest component is looked at again.
fn remove_compiled(cache: &Path) -> Result<()> {
    for entry in std::fs::read_dir(cache)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "cwasm") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The imports of the world beside WASI.
fn add_world(linker: &mut Linker<Host>) -> Result<()> {
    let mut root = linker.root();
    root.func_wrap_concurrent(
        "invoke",
        |accessor: &Accessor<Host>, (name, arguments): (String, String)| {
            let call = accessor.with(|mut access| (access.get().invoke)(name, arguments));
            Box::pin(async move { Ok((call.await,)) })
        },
    )?;
    root.func_wrap("list-callbacks", |store: StoreContextMut<Host>, ()| {
        Ok((store.data().callbacks.clone(),))
    })?;
    root.func_wrap(
        "report-trace",
        |mut store: StoreContextMut<Host>, (lineno, event, context): (u32, String, String)| {
            store.data_mut().traces.push(Trace { lineno, event, context });
            Ok(())
        },
    )
}

/// One instance and the exports of the world.
pub struct Sandbox {
    pub store: Store<Host>,
    instance: Instance,
    ticks: u64,
    stdout: MemoryOutputPipe,
    stderr: MemoryOutputPipe,
    pub execute: TypedFunc<(String,), (Answer<String>,)>,
    snapshot: TypedFunc<(), (Answer<Vec<u8>>,)>,
    restore: TypedFunc<(Vec<u8>,), (Answer<()>,)>,
    clear: TypedFunc<(), ()>,
}

impl Sandbox {
    fn new(
        mut store: Store<Host>,
        instance: Instance,
        ticks: u64,
        stdout: MemoryOutputPipe,
        stderr: MemoryOutputPipe,
    ) -> Result<Sandbox> {
        Ok(Sandbox {
            execute: instance.get_typed_func(&mut store, "execute")?,
            snapshot: instance.get_typed_func(&mut store, "snapshot-state")?,
            restore: instance.get_typed_func(&mut store, "restore-state")?,
            clear: instance.get_typed_func(&mut store, "clear-state")?,
            store,
            instance,
            ticks,
            stdout,
            stderr,
        })
    }

    /// Calls `configure` of the interface `control`, which plain hosts can do without. Settings
    /// that are not named are false, 0 or empty, so that new ones need no change here.
    pub async fn configure(&mut self, named: &[(&str, Val)]) -> Result<()> {
        let (_, control) = self
            .instance
            .get_export(&mut self.store, None, "eryx:sandbox/control@0.1.0")
            .ok_or_else(|| wasmtime::Error::msg("there is no interface control"))?;
        let configure = self
            .instance
            .get_export(&mut self.store, Some(&control), "configure")
            .and_then(|(_, index)| self.instance.get_func(&mut self.store, index))
            .ok_or_else(|| wasmtime::Error::msg("control has no function configure"))?;
        let Some((_, Type::Record(record))) = configure.ty(&self.store).params().next() else {
            bail!("expected configure(settings: record), got another type");
        };
        let mut fields = Vec::new();
        for field in record.fields() {
            let given = named.iter().find(|(name, _)| *name == field.name);
            let value = match (given, field.ty) {
                (Some((_, value)), _) => value.clone(),
                (None, Type::Bool) => Val::Bool(false),
                (None, Type::U32) => Val::U32(0),
                (None, Type::String) => Val::String(String::new()),
                (None, Type::List(_)) => Val::List(Vec::new()),
                (None, other) => bail!("setting {}: no default of type {other:?}", field.name),
            };
            fields.push((field.name.to_string(), value));
        }
        configure.call_async(&mut self.store, &[Val::Record(fields)], &mut []).await
    }

    pub async fn execute(&mut self, code: &str) -> Result<Answer<String>> {
        self.store.set_epoch_deadline(self.ticks);
        Ok(self.execute.call_async(&mut self.store, (code.to_string(),)).await?.0)
    }

    pub async fn snapshot(&mut self) -> Result<Answer<Vec<u8>>> {
        self.store.set_epoch_deadline(self.ticks);
        Ok(self.snapshot.call_async(&mut self.store, ()).await?.0)
    }

    pub async fn restore(&mut self, data: &[u8]) -> Result<Answer<()>> {
        self.store.set_epoch_deadline(self.ticks);
        Ok(self.restore.call_async(&mut self.store, (data.to_vec(),)).await?.0)
    }

    pub async fn clear(&mut self) -> Result<()> {
        self.store.set_epoch_deadline(self.ticks);
        self.clear.call_async(&mut self.store, ()).await
    }

    /// What has come out of `wasi:cli/stdout` and `stderr`.
    pub fn streams(&self) -> (String, String) {
        let text = |pipe: &MemoryOutputPipe| String::from_utf8_lossy(&pipe.contents()).into_owned();
        (text(&self.stdout), text(&self.stderr))
    }
}
