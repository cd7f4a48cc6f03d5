//! A call in progress, as recovery sees it.

use kernelpack_abi::{Signature, TensorArg, TensorData};
use kernelpack_engine::Export;

/// A call, with the facts that recovery needs.
pub(crate) struct Call<'c, 't> {
    pub(crate) export: Export,
    pub(crate) signature: &'c Signature<'c>,
    pub(crate) tensors: &'c mut [TensorArg<'t>],
    pub(crate) scalars: &'c [u8],
    pub(crate) max_ticks: u32,
    /// The ticks that the caller allows for it; `max_ticks` may be fewer, if a batch has used some of them.
    pub(crate) allowed: u32,
    /// Whether the sandbox works on the caller's own tensors, which a failed kernel may have changed.
    pub(crate) in_place: bool,
}

impl Call<'_, '_> {
    /// Returns whether the inputs of the call are unchanged after a failure, so that it can be repeated.
    pub(crate) fn is_repeatable(&self) -> bool {
        !self.in_place || !self.tensors.iter().any(|tensor| matches!(tensor.data, TensorData::InOut(_)))
    }
}
