//! An empty function, called as Wasmtime calls any.

use wasmtime::{Engine, Instance, Module, Store, TypedFunc};

use super::super::EmptyFunction;

/// A module that exports a function `empty` which takes nothing, does nothing and returns nothing.
#[rustfmt::skip]
const MODULE: &[u8] = &[
    0, b'a', b's', b'm', 1, 0, 0, 0,
    1, 4, 1, 0x60, 0, 0,                           // types: () -> ()
    3, 2, 1, 0,                                    // functions: of type 0
    7, 9, 1, 5, b'e', b'm', b'p', b't', b'y', 0, 0, // exports: function 0
    10, 4, 1, 2, 0, 0x0b,                          // code: no locals, end
];

/// An instance of that module.
pub(super) struct Empty {
    store: Store<()>,
    function: TypedFunc<(), ()>,
}

impl Empty {
    pub(super) fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let module = Module::new(engine, MODULE)?;
        let mut store = Store::new(engine, ());
        // Code checks the epoch where that is how calls are stopped; 2⁶³ ticks do not pass.
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
