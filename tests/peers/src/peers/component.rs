//! Wasmtime's component model: bindings from WIT, lists of floats in and out.

use wasmtime::{
    Config, Engine, OptLevel, Store,
    component::{self, Linker},
};
use wit_component::ComponentEncoder;

use crate::{
    peer::{Failure, Peer, Side},
    row::Row,
};

mod bindings {
    wasmtime::component::bindgen!({ path: "guests/component/wit", world: "peer" });
}

/// Makes a component from a core module to which `wit-bindgen` added its types.
///
/// # Errors
/// The module has no component types, or lacks an export that they declare.
pub(crate) fn encode(module: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut encoder = ComponentEncoder::default();
    encoder.module(module).map_err(|error| format!("{error:#}"))?;
    Ok(encoder.validate(true).encode().map_err(|error| format!("{error:#}"))?)
}

pub(crate) struct Component {
    store: Store<()>,
    peer: bindings::Peer,
    row: Row,
}

impl Component {
    pub(crate) fn new(wasm: &[u8], row: &Row) -> Result<Self, Failure> {
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed);
        let engine = Engine::new(&config)?;
        let mut store = Store::new(&engine, ());
        let component = component::Component::new(&engine, wasm)?;
        let peer = bindings::Peer::instantiate(&mut store, &component, &Linker::new(&engine))?;
        Ok(Self { store, peer, row: row.clone() })
    }
}

impl Peer for Component {
    const NAME: &'static str = "Wasmtime component, list of f32, no deadline";
    const SIDE: Side = Side::Peer;

    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure> {
        let Row { x, weight, eps, .. } = &self.row;
        Ok(self.peer.call_rmsnorm(&mut self.store, x, weight, *eps)?)
    }
}
