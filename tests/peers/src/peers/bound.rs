//! Kernelpack, bound call: tensors mapped into the kernel's memory, with all checks and a deadline.

use kernelpack_host::{Bound, Pack, Tensor};
use kernelpack_kernels::rmsnorm_f32;

use crate::{
    peer::{Failure, Peer, Side},
    row::Row,
};

pub(crate) struct BoundCall {
    kernel: Bound<rmsnorm_f32::Kernel>,
    x: Tensor<f32>,
    weight: Tensor<f32>,
    y: Tensor<f32>,
    eps: f32,
}

impl BoundCall {
    pub(crate) fn new(pack: &Pack, row: &Row) -> Result<Self, Failure> {
        let (dim, eps) = (row.dim(), row.eps);
        let x = Tensor::from_slice(&row.x, &[1, dim])?;
        let weight = Tensor::from_slice(&row.weight, &[dim])?;
        let mut y = Tensor::zeros(&[1, dim])?;
        let args = rmsnorm_f32::Args { x: x.view(), weight: weight.view(), y: y.view_mut(), eps };
        let kernel = pack.kernel::<rmsnorm_f32::Kernel>()?.bind(args)?;
        match kernel.copied_bytes() {
            0 => Ok(Self { kernel, x, weight, y, eps }),
            copied => Err(format!("{copied} bytes would be copied a call: this system maps no tensors").into()),
        }
    }
}

impl Peer for BoundCall {
    const NAME: &'static str = "Kernelpack, bound call";
    const SIDE: Side = Side::Kernelpack;

    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure> {
        let Self { kernel, x, weight, y, eps } = self;
        kernel.call(rmsnorm_f32::Args { x: x.view(), weight: weight.view(), y: y.view_mut(), eps: *eps })?;
        Ok(y.as_slice())
    }
}
