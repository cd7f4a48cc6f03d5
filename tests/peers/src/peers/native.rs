//! The function itself, compiled for this machine's baseline instruction set and called directly.

use std::hint::black_box;

use kernelpack_kernels::rmsnorm_f32;

use crate::{
    peer::{Failure, Peer, Side},
    row::Row,
};

pub(crate) struct Native {
    row: Row,
    y: Vec<f32>,
}

impl Native {
    pub(crate) fn new(row: &Row) -> Self {
        Self { y: vec![0.0; row.dim()], row: row.clone() }
    }
}

impl Peer for Native {
    const NAME: &'static str = "native";
    const SIDE: Side = Side::Native;

    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure> {
        let Row { x, weight, eps, .. } = black_box(&self.row);
        rmsnorm_f32(x, weight, &mut self.y, *eps, x.len()).map_err(|_| "the function failed")?;
        Ok(&self.y)
    }
}
