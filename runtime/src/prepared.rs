//! Calls that are laid out once and run many times without copies.

use std::sync::Arc;

use kernelpack_abi::{ParamValue, Signature, TensorArg, TensorData};
use kernelpack_engine::Export;

use crate::{
    BadCall, DynKernel, DynTensor, DynView, Error,
    guest::{Checked, Failure, Guest, unreachable},
    loaded::LoadedKernel,
};

/// A forward call that is laid out in a sandbox with its inputs copied, so that entering it copies nothing.
///
/// [`DynKernel::prepare`](crate::DynKernel::prepare) makes one. It takes one of the kernel's instances, which returns
/// to the pool when this is dropped. Each entry sees what the one before left: an in-out tensor continues from its last
/// value.
///
/// # Example: the time of a kernel without its copies
/// ```no_run
/// use std::time::Instant;
///
/// use kernelpack_host::{DynKernel, Error, tensor::DynView};
///
/// fn time(kernel: &DynKernel, inputs: &[(&str, DynView<'_>)]) -> Result<f64, Error> {
///     let mut call = kernel.prepare(inputs, &[])?;
///     call.enter()?;
///     let start = Instant::now();
///     for _ in 0..100 {
///         call.enter()?;
///     }
///     Ok(start.elapsed().as_secs_f64() / 100.0)
/// }
/// ```
pub struct Prepared {
    loaded: Arc<LoadedKernel>,
    /// `None` after an entry was stopped.
    guest: Option<Box<Guest>>,
    /// Whether the last entry succeeded.
    succeeded: bool,
    ticks: u32,
    /// The rows of the tensors that the kernel writes for its caller.
    written: Vec<usize>,
    /// The names of these tensors, and room for their values.
    results: Vec<DynTensor>,
}

impl DynKernel {
    /// Lays out a call once, to enter the kernel many times; takes the same arguments as [`run`](Self::run).
    ///
    /// Entries use the sandbox, wherever the kernel is placed, and do not fall back, log or report metrics.
    ///
    /// # Errors
    /// As [`run`](Self::run); the kernel does not run yet.
    pub fn prepare(&self, inputs: &[(&str, DynView<'_>)], params: &[(&str, ParamValue)]) -> Result<Prepared, Error> {
        self.loaded().spec.forward.with(|signature| {
            let (mut prepared, results) = self.arrange(signature, inputs, params, |tensors, scalars| {
                Prepared::lay_out(self.loaded().clone(), signature, tensors, scalars, self.max_ticks())
            })??;
            prepared.set_results(results);
            Ok(prepared)
        })
    }
}

impl Prepared {
    /// Checks a call and lays it out in one of the kernel's instances.
    pub(crate) fn lay_out(
        loaded: Arc<LoadedKernel>,
        signature: &Signature<'_>,
        tensors: &[TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<Self, Error> {
        let call = Checked::new(signature, tensors)?;
        let ticks = loaded.ticks(max_ticks);
        let (lease, laid_out) = loaded.enter(ticks, |guest, _| {
            guest.lay_out(Export::Forward, &call, tensors, scalars, &[])?;
            guest.copy_in(tensors, scalars)
        })?;
        // Nothing ran, so the instance can be used again.
        if let Err(failure) = laid_out {
            lease.give_back();
            return Err(loaded.error(failure));
        }
        let written = tensors
            .iter()
            .enumerate()
            .filter(|(_, tensor)| matches!(tensor.data, TensorData::Out(_) | TensorData::InOut(_)))
            .map(|(row, _)| row)
            .collect();
        let guest = lease.detach();
        Ok(Self { loaded, guest, succeeded: false, ticks, written, results: Vec::new() })
    }

    /// Sets the names and shapes of the written tensors, in their order.
    pub(crate) fn set_results(&mut self, results: Vec<DynTensor>) {
        self.results = results;
    }

    /// Runs the kernel on the data in its memory, within the budget of any other call.
    ///
    /// # Errors
    /// [`Error::Kernel`] if the kernel fails or runs out of its budget. Unless it failed by returning a status, its
    /// instance is dropped, and every later entry fails with [`BadCall::Stopped`].
    pub fn enter(&mut self) -> Result<(), Error> {
        self.succeeded = false;
        let Some(guest) = self.guest.take() else {
            return Err(BadCall::Stopped { kernel: self.loaded.id().to_string() }.into());
        };
        // If the engine panics or the kernel is stopped, the lease drops the instance and frees its place.
        let mut lease = self.loaded.pool.reattach(guest);
        let entered = lease.item().map_or_else(|| Err(unreachable()), |guest| guest.run_again(self.ticks));
        self.succeeded = entered.is_ok();
        if !entered.as_ref().is_err_and(Failure::spoils_guest) {
            self.guest = lease.detach();
        }
        entered.map_err(|failure| self.loaded.error(failure))
    }

    /// Returns copies of the outputs and in-out tensors, in declaration order, as the last entry left them.
    ///
    /// # Errors
    /// [`BadCall::NoResults`] if there was no entry yet, or the last one failed.
    pub fn results(&mut self) -> Result<Vec<DynTensor>, Error> {
        let (Some(guest), true) = (&mut self.guest, self.succeeded) else {
            return Err(BadCall::NoResults { kernel: self.loaded.id().to_string() }.into());
        };
        let mut results = self.results.clone();
        let copied =
            self.written.iter().zip(&mut results).try_for_each(|(row, result)| guest.copy_out(*row, &mut result.bytes));
        copied.map_err(|failure| self.loaded.error(failure))?;
        Ok(results)
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if let Some(guest) = self.guest.take() {
            self.loaded.pool.reattach(guest).give_back();
        }
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Prepared").field(self.loaded.id()).finish()
    }
}
