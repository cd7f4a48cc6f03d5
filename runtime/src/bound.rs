//! Typed calls on tensors that are mapped into the kernel's memory once.

use std::{fmt, marker::PhantomData};

use kernelpack_abi::Kernel;

use crate::{Error, TypedKernel, bound_call::BoundCall};

/// A kernel bound to tensors, which can be called any number of times without copying them.
///
/// [`TypedKernel::bind`](crate::TypedKernel::bind) makes one. Each call takes the arguments again, which costs next to
/// nothing: it borrows the tensors for the duration of the call, inputs shared and outputs exclusively, so that the
/// compiler prevents reads of what the kernel is writing. Between calls the host may read and write them freely. A
/// tensor can be bound to any number of kernels at once, as the output of one and the input of the next. Scalars may
/// differ from call to call.
///
/// The binding has an instance to itself, with no data of other calls in it. Dropping the binding drops the instance
/// and unmaps everything that was mapped into it, whether or not the tensors still exist.
///
/// # Example: a chain without a copy
/// ```no_run
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
    inner: BoundCall,
    stub: PhantomData<fn() -> K>,
}

impl<K: Kernel> TypedKernel<K> {
    /// Lays out a call once, to run it any number of times on the same tensors without copying them.
    ///
    /// Arguments in a [`Tensor`](crate::Tensor) are mapped into an instance made for the binding. The kernel cannot
    /// write to mapped inputs, and cannot reach any other memory of the host. Other arguments are copied at each call.
    /// The borrow of the arguments ends with this call; see [`Bound`].
    ///
    /// # Errors
    /// As [`call`](Self::call), although only the kernel's initialization runs;
    /// [`ResourceError::TooManyBindings`](crate::ResourceError::TooManyBindings) if the kernel's bindings already have
    /// as many instances as they may; [`ResourceError::Unmappable`](crate::ResourceError::Unmappable) if the system
    /// cannot map a tensor.
    pub fn bind(&self, args: K::Args<'_>) -> Result<Bound<K>, Error> {
        K::lend(args, |tensors, scalars| {
            let inner = BoundCall::new(self.dispatcher(), &K::SIGNATURE, tensors, scalars, self.max_ticks())?;
            Ok(Bound { inner, stub: PhantomData })
        })
    }
}

impl<K: Kernel> Bound<K> {
    /// Runs the kernel on the tensors that it is bound to.
    ///
    /// Mapped tensors must be the bound ones; the others need only have the bound shapes. A kernel that is stopped may
    /// have written to its outputs and in-out tensors, and gets a new instance at the next call. Its reference runs
    /// instead for this call if the runtime's [`FallbackPolicy`](crate::FallbackPolicy) says so, unless there are
    /// in-out tensors, which the kernel may have changed.
    ///
    /// # Errors
    /// [`BadCall::NotBound`](crate::BadCall::NotBound) if a tensor is not the bound one; otherwise as
    /// [`TypedKernel::call`](crate::TypedKernel::call).
    #[inline]
    pub fn call(&mut self, args: K::Args<'_>) -> Result<(), Error> {
        self.inner.call_typed::<K>(args)
    }

    /// Like [`call`](Self::call), but first binds another kernel of the same stub, such as that of a newer pack, to the
    /// tensors that this kernel is bound to. If that fails, this kernel stays bound.
    ///
    /// # Errors
    /// As [`call`](Self::call), and as [`TypedKernel::bind`](crate::TypedKernel::bind).
    pub fn call_on(&mut self, kernel: &TypedKernel<K>, args: K::Args<'_>) -> Result<(), Error> {
        K::lend(args, |tensors, scalars| {
            self.inner.rebind(kernel.dispatcher(), &K::SIGNATURE, tensors, scalars, kernel.max_ticks())?;
            self.inner.call(&K::SIGNATURE, tensors, scalars)
        })
    }

    /// Returns whether this binding is of `kernel`, rather than of the same stub's kernel in another pack.
    pub fn is_of(&self, kernel: &TypedKernel<K>) -> bool {
        self.inner.is_of(kernel.dispatcher())
    }

    /// Returns how many bytes each call copies, for the tensors that are not mapped.
    pub fn copied_bytes(&self) -> u64 {
        self.inner.copied_bytes(&K::SIGNATURE)
    }

    /// Returns the number of threads over which each call is divided; 1 if it is not divided.
    pub fn threads(&self) -> usize {
        self.inner.threads()
    }
}

impl<K> fmt::Debug for Bound<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bound").field(&self.inner.id()).finish()
    }
}
