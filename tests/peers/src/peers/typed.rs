//! Kernelpack, typed call: from and to the caller's memory, with all checks and a deadline.

use kernelpack_host::{
    Pack, TypedKernel,
    abi::{TensorView, TensorViewMut},
};
use kernelpack_kernels::rmsnorm_f32;

use crate::{
    peer::{Failure, Peer, Side},
    row::Row,
};

pub(crate) struct Typed {
    kernel: TypedKernel<rmsnorm_f32::Kernel>,
    row: Row,
    y: Vec<f32>,
}

impl Typed {
    pub(crate) fn new(pack: &Pack, row: &Row) -> Result<Self, Failure> {
        Ok(Self { kernel: pack.kernel()?, y: vec![0.0; row.dim()], row: row.clone() })
    }
}

impl Peer for Typed {
    const NAME: &'static str = "Kernelpack, typed call";
    const SIDE: Side = Side::Kernelpack;

    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure> {
        let (Row { x, weight, eps, .. }, dim) = (&self.row, self.row.dim());
        self.kernel.call(rmsnorm_f32::Args {
            x: TensorView::new(x, &[1, dim])?,
            weight: TensorView::new(weight, &[dim])?,
            y: TensorViewMut::new(&mut self.y, &[1, dim])?,
            eps: *eps,
        })?;
        Ok(&self.y)
    }
}
