//! Wasmtime by hand: a typed function on one instance, with the data copied in and out, or already in place.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use wasmtime::{Config, Engine, Instance, Memory, Module, OptLevel, Store, TypedFunc};
use zerocopy::{FromBytes, IntoBytes};

use crate::{
    peer::{Failure, Peer, Side},
    row::Row,
};

/// The length of an epoch, the same as Kernelpack's.
const TICK: Duration = Duration::from_millis(10);
/// The number of epochs that a call may take.
const DEADLINE: u64 = 100;

/// One instance, and the addresses of the tensors in its memory.
struct Warm {
    store: Store<()>,
    memory: Memory,
    rmsnorm: TypedFunc<(u32, u32, u32, u32, f32), i32>,
    x: u32,
    weight: u32,
    y: u32,
    dim: u32,
    eps: f32,
}

impl Warm {
    fn new(wasm: &[u8], row: &Row, epochs: bool) -> Result<Self, Failure> {
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed).epoch_interruption(epochs);
        let engine = Engine::new(&config)?;
        let mut store = Store::new(&engine, ());
        if epochs {
            store.set_epoch_deadline(DEADLINE);
        }
        let instance = Instance::new(&mut store, &Module::new(&engine, wasm)?, &[])?;
        let dim = u32::try_from(row.dim())?;
        let reserve: TypedFunc<u32, u32> = instance.get_typed_func(&mut store, "reserve")?;
        let mut reserve = || reserve.call(&mut store, dim);
        let (x, weight, y) = (reserve()?, reserve()?, reserve()?);
        let memory = instance.get_memory(&mut store, "memory").ok_or("the module has no memory")?;
        let rmsnorm = instance.get_typed_func(&mut store, "rmsnorm")?;
        Ok(Self { store, memory, rmsnorm, x, weight, y, dim, eps: row.eps })
    }

    fn write(&mut self, at: u32, floats: &[f32]) -> Result<(), Failure> {
        Ok(self.memory.write(&mut self.store, at as usize, floats.as_bytes())?)
    }

    fn enter(&mut self) -> Result<(), Failure> {
        let Self { store, rmsnorm, x, weight, y, dim, eps, .. } = self;
        match rmsnorm.call(store, (*x, *weight, *y, *dim, *eps))? {
            0 => Ok(()),
            status => Err(format!("the module returned {status}").into()),
        }
    }

    /// Returns the bytes of y.
    fn result(&self) -> Result<&[u8], Failure> {
        let start = self.y as usize;
        let end = start + 4 * self.dim as usize;
        Ok(self.memory.data(&self.store).get(start..end).ok_or("y leaves the memory")?)
    }
}

/// An instance whose data stays in the sandbox, at addresses that only this module knows.
pub(crate) struct InPlace(Warm);

impl InPlace {
    pub(crate) fn new(wasm: &[u8], row: &Row) -> Result<Self, Failure> {
        let mut warm = Warm::new(wasm, row, false)?;
        warm.write(warm.x, &row.x)?;
        warm.write(warm.weight, &row.weight)?;
        Ok(Self(warm))
    }
}

impl Peer for InPlace {
    const NAME: &'static str = "Wasmtime raw, in place, no deadline";
    const SIDE: Side = Side::Orientation;

    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure> {
        self.0.enter()?;
        Ok(<[f32]>::ref_from_bytes(self.0.result()?).map_err(|error| error.to_string())?)
    }
}

/// An instance with data copied in and out by hand. With `EPOCHS`, each call has a deadline.
pub(crate) struct Copies<const EPOCHS: bool> {
    warm: Warm,
    row: Row,
    y: Vec<f32>,
    _ticker: Option<Ticker>,
}

impl<const EPOCHS: bool> Copies<EPOCHS> {
    pub(crate) fn new(wasm: &[u8], row: &Row) -> Result<Self, Failure> {
        let warm = Warm::new(wasm, row, EPOCHS)?;
        let ticker = EPOCHS.then(|| Ticker::start(warm.store.engine().clone()));
        Ok(Self { warm, y: vec![0.0; row.dim()], row: row.clone(), _ticker: ticker })
    }
}

impl<const EPOCHS: bool> Peer for Copies<EPOCHS> {
    const NAME: &'static str =
        if EPOCHS { "Wasmtime raw, copies, epoch deadline" } else { "Wasmtime raw, copies, no deadline" };
    const SIDE: Side = Side::Peer;

    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure> {
        let Self { warm, row, y, .. } = self;
        if EPOCHS {
            warm.store.set_epoch_deadline(DEADLINE);
        }
        warm.write(warm.x, &row.x)?;
        warm.write(warm.weight, &row.weight)?;
        warm.enter()?;
        y.as_mut_bytes().copy_from_slice(warm.result()?);
        Ok(&*y)
    }
}

/// The thread that increments an engine's epoch, until this is dropped.
struct Ticker {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: Engine) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !watched.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                engine.increment_epoch();
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
