//! Calls of bound kernels, with recovery.
//!
//! A [`Binding`] runs the kernel in the sandbox; a [`BoundCall`] adds what every other call has: the circuit breaker,
//! the fallback, logs and metrics. Calls through a typed stub take a shortcut while nothing of that is needed.

use std::{sync::Arc, time::Instant};

use kernelpack_abi::{Kernel, Signature, TensorArg};
use kernelpack_engine::Export;

use crate::{Error, binding::Binding, call::Call, dispatcher::Dispatcher, guest::Failure};

/// A kernel that is bound to tensors and recovers from failures as any other kernel does.
pub(crate) struct BoundCall {
    dispatcher: Arc<Dispatcher>,
    binding: Binding,
    max_ticks: u32,
}

impl BoundCall {
    /// Binds a kernel to tensors.
    pub(crate) fn new(
        dispatcher: &Arc<Dispatcher>,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<Self, Error> {
        let binding = Binding::new(dispatcher.loaded.clone(), signature, tensors, scalars, max_ticks)?;
        Ok(Self { dispatcher: dispatcher.clone(), binding, max_ticks })
    }

    /// Binds another kernel to the tensors that this one is bound to. If that fails, this one stays bound.
    pub(crate) fn rebind(
        &mut self,
        dispatcher: &Arc<Dispatcher>,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<(), Error> {
        // Only the bound tensors are accepted, as in `call`.
        let checked = self.binding.check(signature, tensors);
        let bound = checked.and_then(|()| Self::new(dispatcher, signature, tensors, scalars, max_ticks));
        *self = bound.map_err(|error| dispatcher.recovery.not_begun(error))?;
        Ok(())
    }

    /// Runs the kernel on the tensors that it is bound to.
    pub(crate) fn call(
        &mut self,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
    ) -> Result<(), Error> {
        let start = self.dispatcher.recovery.clock.start();
        self.call_from(start, signature, tensors, scalars)
    }

    /// Like [`call`](Self::call), but takes the arguments of the kernel's stub.
    #[inline]
    pub(crate) fn call_typed<K: Kernel>(&mut self, mut args: K::Args<'_>) -> Result<(), Error> {
        let start = self.dispatcher.recovery.clock.start();
        // The path of nearly every call: the arguments are not turned into tables, and recovery is not consulted.
        if self.dispatcher.recovery.is_usual()
            && let Some((guest, ticks)) = self.binding.ready::<K>(&mut args)
        {
            return match guest.run_again(ticks) {
                Ok(()) => {
                    self.dispatcher.recovery.succeeded(start);
                    Ok(())
                }
                Err(failure) => self.failed::<K>(args, start, failure),
            };
        }
        self.call_otherwise::<K>(args, start)
    }

    /// Recovers a call that failed on the fast path of [`call_typed`](Self::call_typed).
    #[cold]
    #[inline(never)]
    fn failed<K: Kernel>(&mut self, args: K::Args<'_>, start: Option<Instant>, failure: Failure) -> Result<(), Error> {
        let error = self.binding.failed(failure);
        let (recovery, max_ticks) = (&self.dispatcher.recovery, self.max_ticks);
        K::lend(args, |tensors, scalars| {
            recovery.failed(&mut forward(&K::SIGNATURE, tensors, scalars, max_ticks), start, error)
        })
    }

    /// Runs a call that cannot take the fast path: it is divided, copies tensors, has wrong arguments or skips the
    /// sandbox.
    #[inline(never)]
    fn call_otherwise<K: Kernel>(&mut self, args: K::Args<'_>, start: Option<Instant>) -> Result<(), Error> {
        K::lend(args, |tensors, scalars| self.call_from(start, &K::SIGNATURE, tensors, scalars))
    }

    fn call_from(
        &mut self,
        start: Option<Instant>,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
    ) -> Result<(), Error> {
        let binding = &mut self.binding;
        self.dispatcher.call_in(&mut forward(signature, tensors, scalars, self.max_ticks), start, |call| {
            binding.call(call.signature, call.tensors, call.scalars)
        })
    }

    /// The bound kernel with its recovery.
    pub(crate) fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// Whether this kernel is the bound one.
    pub(crate) fn is_of(&self, kernel: &Arc<Dispatcher>) -> bool {
        Arc::ptr_eq(&self.dispatcher, kernel)
    }

    /// The kernel's id.
    pub(crate) fn id(&self) -> &str {
        self.dispatcher.loaded.id()
    }

    /// How many bytes each call copies.
    pub(crate) fn copied_bytes(&self, signature: &Signature<'_>) -> u64 {
        self.binding.copied_bytes(signature)
    }

    /// The number of threads over which each call is divided.
    pub(crate) fn threads(&self) -> usize {
        self.binding.threads()
    }
}

/// A forward call that works on the caller's own tensors.
fn forward<'c, 't>(
    signature: &'c Signature<'c>,
    tensors: &'c mut [TensorArg<'t>],
    scalars: &'c [u8],
    max_ticks: u32,
) -> Call<'c, 't> {
    Call { export: Export::Forward, signature, tensors, scalars, max_ticks, allowed: max_ticks, in_place: true }
}
