//! A typed call whose tensors stay where the kernel sees them.

use std::{fmt, marker::PhantomData, sync::Arc, time::Instant};

use kernelpack_abi::{Kernel, TensorArg};

use crate::{Error, binding::Binding, engine::Export, guest::Failure, loaded::LoadedKernel, recovery::Call};

/// A kernel bound to tensors: it is called any number of times and copies none of them.
///
/// [`TypedKernel::bind`](crate::TypedKernel::bind) makes one. Each call takes the arguments again, which costs next to
/// nothing: it borrows the tensors for the time of the call, inputs shared and outputs exclusively, so that the compiler
/// sees to it that nobody reads what the kernel is writing; between calls the host does with them what it likes. A tensor
/// can be bound to any number of kernels at once, as the output of one and the input of the next. Scalars may differ from
/// call to call.
///
/// The kernel has an instance to itself, with nothing of other calls in it. Dropping the binding drops the instance and
/// unmaps all that was mapped into it, whether the tensors live on or were dropped before.
///
/// # Example: a chain without a copy
/// ```ignore
/// // Not compiled here: the stubs come from a kernel crate, which this crate does not know.
/// use kernelpack_host::{Error, Pack, Tensor};
/// use kernelpack_kernels::{rmsnorm_f32, swiglu_f32};
///
/// fn layer(pack: &Pack) -> Result<(), Error> {
///     let (mut x, weight) = (Tensor::<f32>::zeros(&[64, 4096])?, Tensor::<f32>::zeros(&[4096])?);
///     let (mut normed, gate) = (Tensor::zeros(&[64, 4096])?, Tensor::zeros(&[64, 4096])?);
///     let mut y = Tensor::zeros(&[64, 4096])?;
///
///     let norm = pack.kernel::<rmsnorm_f32::Kernel>()?;
///     let mut norm = norm.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), normed.view_mut()))?;
///     let glu = pack.kernel::<swiglu_f32::Kernel>()?;
///     let mut glu = glu.bind(swiglu_f32::Args::new(gate.view(), normed.view(), y.view_mut()))?;
///     for step in 0..100 {
///         x.as_mut_slice()[0] = step as f32;
///         norm.call(rmsnorm_f32::Args::new(x.view(), weight.view(), normed.view_mut()))?;
///         glu.call(swiglu_f32::Args::new(gate.view(), normed.view(), y.view_mut()))?;
///     }
///     Ok(())
/// }
/// ```
pub struct Bound<K> {
    loaded: Arc<LoadedKernel>,
    binding: Binding,
    max_ticks: u32,
    stub: PhantomData<fn() -> K>,
}

impl<K: Kernel> Bound<K> {
    pub(crate) fn new(loaded: Arc<LoadedKernel>, binding: Binding, max_ticks: u32) -> Self {
        Self { loaded, binding, max_ticks, stub: PhantomData }
    }

    /// Runs the kernel on the tensors that it is bound to.
    ///
    /// Tensors that are mapped must be those bound; of others only the shape must be the same. A kernel that is stopped
    /// may have written to its outputs and in-out tensors. It gets a new instance at the next call. Its reference
    /// replaces it for this call as the runtime's [`FallbackPolicy`](crate::FallbackPolicy) says, unless there are in-out
    /// tensors, which it may have changed.
    ///
    /// # Errors
    /// [`BadCall::NotBound`](crate::BadCall::NotBound) if a tensor is another; else as
    /// [`TypedKernel::call`](crate::TypedKernel::call).
    #[inline]
    pub fn call(&mut self, mut args: K::Args<'_>) -> Result<(), Error> {
        let start = self.loaded.recovery.clock.start();
        // As nearly every call goes: nothing is lent, nothing of the rest is looked at.
        if self.loaded.recovery.is_usual()
            && let Some((guest, ticks)) = self.binding.ready::<K>(&mut args)
        {
            return match guest.run_again(ticks) {
                Ok(()) => {
                    self.loaded.served(start);
                    Ok(())
                }
                Err(failure) => self.failed(args, start, failure),
            };
        }
        self.call_otherwise(args, start)
    }

    /// A call that was run in place and failed.
    #[cold]
    #[inline(never)]
    fn failed(&mut self, args: K::Args<'_>, start: Option<Instant>, failure: Failure) -> Result<(), Error> {
        let (loaded, max_ticks) = (&self.loaded, self.max_ticks);
        let error = self.binding.failed(failure);
        K::lend(args, |tensors, scalars| {
            loaded.not_served(&mut forward::<K>(tensors, scalars, max_ticks), start, error)
        })
    }

    /// A call that is divided or copies, or that the kernel does not take, or that is not for the sandbox.
    #[inline(never)]
    fn call_otherwise(&mut self, args: K::Args<'_>, start: Option<Instant>) -> Result<(), Error> {
        let (loaded, binding) = (&self.loaded, &mut self.binding);
        K::lend(args, |tensors, scalars| {
            loaded.serve_in(&mut forward::<K>(tensors, scalars, self.max_ticks), start, |call| {
                binding.call(call.signature, call.tensors, call.scalars)
            })
        })
    }

    /// Bytes that each call copies, of tensors that are not mapped.
    pub fn copied_bytes(&self) -> u64 {
        self.binding.copied_bytes(&K::SIGNATURE)
    }

    /// The threads over which each call is divided, 1 where it is not.
    pub fn threads(&self) -> usize {
        self.binding.threads()
    }
}

/// A forward call on the caller's own tensors.
fn forward<'c, 't, K: Kernel>(tensors: &'c mut [TensorArg<'t>], scalars: &'c [u8], max_ticks: u32) -> Call<'c, 't> {
    Call { export: Export::Forward, signature: &K::SIGNATURE, tensors, scalars, max_ticks, in_place: true }
}

impl<K> fmt::Debug for Bound<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bound").field(&self.loaded.id).finish()
    }
}
