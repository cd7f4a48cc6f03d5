//! A binding whose signature is known at run time, with what happens around its calls.

use std::sync::Arc;

use kernelpack_abi::{Signature, TensorArg};

use crate::{Error, binding::Binding, engine::Export, loaded::LoadedKernel, recovery::Call};

/// A kernel that is bound to tensors and may fail, fall back and be out of service as any other.
pub(crate) struct Served {
    loaded: Arc<LoadedKernel>,
    binding: Binding,
    max_ticks: u32,
}

impl Served {
    /// Binds a kernel to tensors.
    pub(crate) fn new(
        loaded: &Arc<LoadedKernel>,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<Self, Error> {
        let binding = Binding::new(loaded.clone(), signature, tensors, scalars, max_ticks)?;
        Ok(Self { loaded: loaded.clone(), binding, max_ticks })
    }

    /// Runs the kernel on the tensors that it is bound to.
    pub(crate) fn call(
        &mut self,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
    ) -> Result<(), Error> {
        let start = self.loaded.recovery.clock.start();
        let (binding, max_ticks) = (&mut self.binding, self.max_ticks);
        let mut call = Call { export: Export::Forward, signature, tensors, scalars, max_ticks, in_place: true };
        self.loaded.serve_in(&mut call, start, |call| binding.call(call.signature, call.tensors, call.scalars))
    }

    /// Refuses tensors that are not those bound.
    pub(crate) fn check(&self, signature: &Signature<'_>, tensors: &[TensorArg<'_>]) -> Result<(), Error> {
        self.binding.check(signature, tensors)
    }

    /// Bytes that each call copies.
    pub(crate) fn copied_bytes(&self, signature: &Signature<'_>) -> u64 {
        self.binding.copied_bytes(signature)
    }

    /// The threads over which each call is divided.
    pub(crate) fn threads(&self) -> usize {
        self.binding.threads()
    }
}
