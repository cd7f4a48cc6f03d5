//! An empty function, called like any other.

use kernelpack_engine::{EMPTY_MODULE, EmptyFunction};
use wasmtime::{Engine, Instance, Module, Store, TypedFunc};

/// An instance of the module whose function does nothing.
pub(super) struct Empty {
    store: Store<()>,
    function: TypedFunc<(), ()>,
}

impl Empty {
    pub(super) fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let module = Module::new(engine, EMPTY_MODULE)?;
        let mut store = Store::new(engine, ());
        // If calls are stopped by epochs, code checks the epoch; 2⁶³ ticks never pass.
        store.set_epoch_deadline(1 << 63);
        let function = Instance::new(&mut store, &module, &[])?.get_typed_func(&mut store, "empty")?;
        Ok(Self { store, function })
    }
}

impl EmptyFunction for Empty {
    fn call(&mut self, times: u32) -> Result<(), String> {
        for _ in 0..times {
            self.function.call(&mut self.store, ()).map_err(|error| format!("{error:#}"))?;
        }
        Ok(())
    }
}
