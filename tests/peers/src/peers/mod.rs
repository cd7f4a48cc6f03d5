//! The peers, one file each.

mod arrow;
mod batch;
mod bound;
mod component;
mod extism;
mod native;
mod raw;
mod typed;

use kernelpack_host::Pack;

use crate::{
    guest::Guest,
    pack,
    peer::{AnyPeer, Failure},
    row::Row,
};

/// Everything that is built once for all sizes.
pub(crate) struct Workshop {
    pack: Pack,
    raw: Vec<u8>,
    component: Vec<u8>,
    extism: Vec<u8>,
    arrow: Vec<u8>,
}

impl Workshop {
    /// Builds the pack and all guests.
    ///
    /// # Errors
    /// One of them does not compile.
    pub(crate) fn new() -> Result<Self, Failure> {
        let guest = |package, target| Guest { package, target }.build();
        Ok(Self {
            pack: pack::open()?,
            raw: guest("peer-guest-raw", "wasm32-unknown-unknown")?,
            component: component::encode(&guest("peer-guest-component", "wasm32-unknown-unknown")?)?,
            extism: guest("peer-guest-extism", "wasm32-unknown-unknown")?,
            arrow: guest("peer-guest-arrow", "wasm32-wasip1")?,
        })
    }

    /// Sets up every peer for a row, in the order of the report.
    ///
    /// # Errors
    /// One of them cannot be set up.
    pub(crate) fn peers(&self, row: &Row) -> Result<Vec<Box<dyn AnyPeer>>, Failure> {
        Ok(vec![
            Box::new(native::Native::new(row)),
            Box::new(bound::BoundCall::new(&self.pack, row)?),
            Box::new(batch::Batch::new(&self.pack, row)?),
            Box::new(typed::Typed::new(&self.pack, row)?),
            Box::new(raw::InPlace::new(&self.raw, row)?),
            Box::new(raw::Copies::<false>::new(&self.raw, row)?),
            Box::new(raw::Copies::<true>::new(&self.raw, row)?),
            Box::new(component::Component::new(&self.component, row)?),
            Box::new(extism::Extism::new(&self.extism, row)?),
            Box::new(arrow::Arrow::new(&self.arrow, row)?),
        ])
    }
}
