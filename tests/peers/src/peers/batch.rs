//! Kernelpack, batch: many rows per entry into the sandbox, from and to the caller's memory.

use kernelpack_host::{
    Pack, TypedKernel,
    abi::{TensorView, TensorViewMut},
};
use kernelpack_kernels::rmsnorm_f32;

use crate::{
    peer::{Failure, Peer, Side},
    row::Row,
};

pub(crate) struct Batch {
    kernel: TypedKernel<rmsnorm_f32::Kernel>,
    row: Row,
    ys: Vec<Vec<f32>>,
}

impl Batch {
    pub(crate) fn new(pack: &Pack, row: &Row) -> Result<Self, Failure> {
        let ys = vec![vec![0.0; row.dim()]; Self::ROWS as usize];
        Ok(Self { kernel: pack.kernel()?, ys, row: row.clone() })
    }
}

impl Peer for Batch {
    const NAME: &'static str = "Kernelpack, batch of 16";
    const SIDE: Side = Side::Kernelpack;
    const ROWS: u32 = 16;

    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure> {
        let (Row { x, weight, eps, .. }, dim) = (&self.row, self.row.dim());
        let (x, weight) = (TensorView::new(x, &[1, dim])?, TensorView::new(weight, &[dim])?);
        let ys = self.ys.iter_mut().map(|y| TensorViewMut::new(y, &[1, dim])).collect::<Result<Vec<_>, _>>()?;
        self.kernel.call_batch(ys.into_iter().map(|y| rmsnorm_f32::Args { x, weight, y, eps: *eps }))?;
        Ok(self.ys.last().map_or(&[][..], Vec::as_slice))
    }
}
