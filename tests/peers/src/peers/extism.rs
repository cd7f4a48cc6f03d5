//! Extism: bytes in and out of a plug-in.

use std::borrow::Cow;

use extism::{Manifest, Plugin, PluginBuilder, Wasm};
use zerocopy::{FromBytes, IntoBytes};

use crate::{
    peer::{Failure, Peer, Side},
    row::Row,
};

pub(crate) struct Extism {
    plugin: Plugin,
    /// x, weight and eps, one after the other.
    input: Vec<f32>,
}

impl Extism {
    pub(crate) fn new(wasm: &[u8], row: &Row) -> Result<Self, Failure> {
        let manifest = Manifest::new([Wasm::data(wasm)]);
        // The compile cache is disabled, so that the code of a former module cannot be used.
        let plugin = PluginBuilder::new(manifest).with_wasi(false).with_cache_disabled().build()?;
        Ok(Self { plugin, input: [&*row.x, &*row.weight, &[row.eps]].concat() })
    }
}

impl Peer for Extism {
    const NAME: &'static str = "Extism, bytes";
    const SIDE: Side = Side::Peer;

    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure> {
        let bytes: &[u8] = self.plugin.call("rmsnorm", self.input.as_bytes())?;
        Ok(match <[f32]>::ref_from_bytes(bytes) {
            Ok(y) => Cow::Borrowed(y),
            // Extism does not align its blocks.
            Err(_) => {
                let mut y = vec![0.0; bytes.len() / 4];
                y.as_mut_bytes().copy_from_slice(bytes);
                Cow::Owned(y)
            }
        })
    }
}
