//! Calls with named arguments, for programs that know a pack only at run time.

mod arguments;
mod bound;
mod tensor;

use std::{sync::Arc, time::Duration};

use kernelpack_abi::{
    KernelInfo, KernelSpecBuf, MAX_TENSORS, ParamValue, Role, Shape, Signature, SignatureBuf, Symbols, TensorArg,
    TensorData,
};
use kernelpack_engine::{Export, ticks};

pub(crate) use self::arguments::lend;
use self::arguments::{Scalars, check_names, find};
pub use self::{
    bound::DynBound,
    tensor::{DynTensor, DynView, DynViewMut},
};
use crate::{
    BadCall, Error, Occupancy, Placement, bound_call::BoundCall, dispatcher::Dispatcher, guest::check_size,
    loaded::LoadedKernel,
};

/// A kernel of a pack, called with named arguments.
///
/// Cheap to clone, and callable from many threads at once.
///
/// # Example: a call with a scalar
/// ```no_run
/// use kernelpack_host::{Error, Pack, Tensor, abi::ParamValue};
///
/// fn normalize(pack: &Pack) -> Result<Vec<f32>, Error> {
///     let rmsnorm = pack.kernel_named("rmsnorm_f32")?;
///     let x = Tensor::from_slice(&[3.0_f32, -4.0], &[1, 2])?;
///     let weight = Tensor::from_slice(&[1.0_f32, 1.0], &[2])?;
///     let inputs = [("x", (&x).into()), ("weight", (&weight).into())];
///     let results = rmsnorm.run(&inputs, &[("eps", ParamValue::F32(1e-6))])?;
///     results[0].to_vec()
/// }
/// ```
#[derive(Clone)]
pub struct DynKernel {
    dispatcher: Arc<Dispatcher>,
    max_ticks: u32,
}

impl DynKernel {
    pub(crate) fn new(dispatcher: Arc<Dispatcher>) -> Self {
        Self { dispatcher, max_ticks: u32::MAX }
    }

    /// The kernel's id.
    pub fn id(&self) -> &str {
        self.loaded().id()
    }

    /// Where the kernel runs.
    pub fn placement(&self) -> Placement {
        self.dispatcher.recovery.placement()
    }

    /// The name of the reference implementation that calls fall back to, if there is one and the runtime's
    /// [`FallbackPolicy`](crate::FallbackPolicy) allows it.
    pub fn reference_name(&self) -> Option<&str> {
        self.dispatcher.recovery.fallback()
    }

    pub(crate) fn dispatcher(&self) -> &Arc<Dispatcher> {
        &self.dispatcher
    }

    pub(crate) fn loaded(&self) -> &Arc<LoadedKernel> {
        &self.dispatcher.loaded
    }

    pub(crate) fn max_ticks(&self) -> u32 {
        self.max_ticks
    }

    /// The kernel's spec: its signatures, limits and names.
    pub fn spec(&self) -> &KernelSpecBuf {
        &self.loaded().spec
    }

    /// The signature of the forward pass.
    pub fn signature(&self) -> &SignatureBuf {
        &self.loaded().spec.forward
    }

    /// The signature of the backward pass, if the kernel has one.
    pub fn backward_signature(&self) -> Option<&SignatureBuf> {
        self.loaded().spec.backward.as_ref()
    }

    /// How many instances the kernel has, and how many it may have.
    pub fn occupancy(&self) -> Occupancy {
        self.loaded().occupancy()
    }

    /// Gives each call at most this much time; the manifest's and the runtime's budgets still hold.
    ///
    /// Engines count in ticks of 10 ms: the budget is rounded up to whole ticks, and a call is stopped within two ticks
    /// after its budget is over.
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.max_ticks = ticks(budget);
        self
    }

    /// Runs the kernel on named inputs, which include the initial values of in-out tensors, and returns its outputs and
    /// in-out tensors in declaration order. Scalars that are not given have their defaults.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    ///
    /// # Example: a sum
    /// ```no_run
    /// use kernelpack_host::{DynKernel, Error, Tensor};
    ///
    /// fn add(kernel: &DynKernel, a: &Tensor<f32>, b: &Tensor<f32>) -> Result<Vec<f32>, Error> {
    ///     let sum = kernel.run(&[("a", a.into()), ("b", b.into())], &[])?;
    ///     sum[0].to_vec()
    /// }
    /// ```
    pub fn run(&self, inputs: &[(&str, DynView<'_>)], params: &[(&str, ParamValue)]) -> Result<Vec<DynTensor>, Error> {
        self.loaded().spec.forward.with(|signature| self.pass(Export::Forward, signature, inputs, params))
    }

    /// Runs the kernel on named inputs and writes to the caller's outputs, which include in-out tensors. Scalars that
    /// are not given have their defaults.
    ///
    /// Outputs and in-out tensors are written only if the call succeeds.
    ///
    /// # Errors
    /// [`Error::BadCall`] if a name, type or shape is wrong or missing, before the sandbox is entered;
    /// [`Error::Kernel`] if the kernel fails or runs out of its budget, unless the runtime's
    /// [`FallbackPolicy`](crate::FallbackPolicy) runs its reference instead; [`Error::OutOfService`] if it failed too
    /// often.
    ///
    /// # Example: a sum in place
    /// ```no_run
    /// use kernelpack_host::{DynKernel, Error, Tensor};
    ///
    /// fn add(kernel: &DynKernel, a: &Tensor<f32>, b: &Tensor<f32>, sum: &mut Tensor<f32>) -> Result<(), Error> {
    ///     kernel.call(&[("a", a.into()), ("b", b.into())], &mut [("sum", sum.into())], &[])
    /// }
    /// ```
    pub fn call(
        &self,
        inputs: &[(&str, DynView<'_>)],
        outputs: &mut [(&str, DynViewMut<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<(), Error> {
        self.loaded().spec.forward.with(|signature| {
            self.dispatcher.report(lend(self.id(), signature, inputs, outputs, params, |tensors, scalars| {
                self.dispatcher.call(Export::Forward, signature, tensors, scalars, self.max_ticks)
            }))
        })
    }

    /// Runs the kernel's backward pass on named inputs, like [`run`](Self::run), and returns the gradients.
    ///
    /// # Errors
    /// As [`call`](Self::call), and if the kernel has no backward pass.
    pub fn backward(
        &self,
        inputs: &[(&str, DynView<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<Vec<DynTensor>, Error> {
        match &self.loaded().spec.backward {
            None => self.dispatcher.report(Err(BadCall::NoBackward { kernel: self.id().to_owned() })),
            Some(signature) => signature.with(|signature| self.pass(Export::Backward, signature, inputs, params)),
        }
    }

    /// Lays out a call once, to run it any number of times on the same tensors without copying them, like
    /// [`TypedKernel::bind`](crate::TypedKernel::bind): a [`Tensor`](crate::Tensor) is mapped, and everything else is
    /// copied at each call. The outputs include in-out tensors.
    ///
    /// # Errors
    /// As [`call`](Self::call) and [`TypedKernel::bind`](crate::TypedKernel::bind).
    pub fn bind(
        &self,
        inputs: &[(&str, DynView<'_>)],
        outputs: &mut [(&str, DynViewMut<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<DynBound, Error> {
        self.loaded().spec.forward.with(|signature| {
            lend(self.id(), signature, inputs, outputs, params, |tensors, scalars| {
                let inner = BoundCall::new(&self.dispatcher, signature, tensors, scalars, self.max_ticks)?;
                Ok(DynBound::new(self.loaded().clone(), inner))
            })?
        })
    }

    /// Returns what the guest's `kernel_info` reports, and the id in it. Nothing verifies what a guest reports.
    ///
    /// # Errors
    /// [`Error::Kernel`] if the guest fails.
    pub fn info(&self) -> Result<(KernelInfo, Option<String>), Error> {
        self.loaded().info()
    }

    fn pass(
        &self,
        export: Export,
        signature: &Signature<'_>,
        inputs: &[(&str, DynView<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<Vec<DynTensor>, Error> {
        let called = self.arrange(signature, inputs, params, |tensors, scalars| {
            self.dispatcher.call(export, signature, tensors, scalars, self.max_ticks)
        });
        self.dispatcher.report(called).map(|((), results)| results)
    }

    /// Lends the tensors of a call, in the order of the table, and its scalars to `f`. Returns the call's outputs and
    /// in-out tensors as `f` leaves them.
    pub(crate) fn arrange<R>(
        &self,
        signature: &Signature<'_>,
        inputs: &[(&str, DynView<'_>)],
        params: &[(&str, ParamValue)],
        f: impl FnOnce(&mut [TensorArg<'_>], &[u8]) -> Result<R, Error>,
    ) -> Result<Result<(R, Vec<DynTensor>), Error>, BadCall> {
        let takes_value = |role| matches!(role, Role::In | Role::InOut);
        let named = signature.tensors.iter().filter(|tensor| takes_value(tensor.role)).map(|tensor| tensor.name);
        check_names(self.id(), "input", inputs.iter().map(|(name, _)| *name), named)?;
        let scalars = Scalars::new(self.id(), signature.params, params)?;

        let given = |name: &str| find(inputs, name).copied();
        // Checked before anything is allocated for the shapes that they claim.
        for spec in signature.tensors {
            if let Some(view) = given(spec.name) {
                check_size(spec, view.dtype, view.shape, view.bytes.len())?;
            }
        }
        let mut results = allocate(signature, inputs, |bytes| self.loaded().check_room(bytes))?;
        let mut writable = results.iter_mut();
        let mut tensors: Vec<TensorArg<'_>> = Vec::with_capacity(MAX_TENSORS);
        for spec in signature.tensors {
            let dtype = spec.dtype;
            tensors.push(match spec.role {
                Role::Scratch => TensorArg { dtype, shape: Shape::default(), data: TensorData::Scratch },
                Role::In => match given(spec.name) {
                    Some(view) => TensorArg { dtype: view.dtype, shape: view.shape, data: TensorData::In(view.bytes) },
                    None => TensorArg { dtype, shape: Shape::default(), data: TensorData::Absent },
                },
                // `allocate` made one result for each of these, in the same order.
                Role::Out | Role::InOut => match writable.next() {
                    Some(DynTensor { dtype, shape, bytes, .. }) => {
                        let data = match spec.role {
                            Role::Out => TensorData::Out(bytes),
                            _ => TensorData::InOut(bytes),
                        };
                        TensorArg { dtype: *dtype, shape: *shape, data }
                    }
                    None => TensorArg { dtype, shape: Shape::default(), data: TensorData::Absent },
                },
            });
        }
        let returned = f(&mut tensors, scalars.bytes());
        drop(tensors);
        Ok(returned.map(|returned| (returned, results)))
    }
}

impl std::fmt::Debug for DynKernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DynKernel").field(self.loaded().id()).finish()
    }
}

/// Allocates the results in declaration order; in-out tensors hold their initial values.
///
/// `check_room` checks that the kernel has room for a tensor of this many bytes.
fn allocate(
    signature: &Signature<'_>,
    inputs: &[(&str, DynView<'_>)],
    check_room: impl Fn(u64) -> Result<(), BadCall>,
) -> Result<Vec<DynTensor>, BadCall> {
    let given = |name: &str| find(inputs, name).copied();
    let shapes = signature.tensors.iter().map(|spec| (spec.dims, given(spec.name).map(|view| view.shape)));
    let describe =
        |error: kernelpack_abi::SymbolError| BadCall::Shape { message: error.describe(signature).to_string() };
    let symbols = Symbols::bind(shapes).map_err(describe)?;
    let mut results = Vec::new();
    for (index, spec) in signature.tensors.iter().enumerate() {
        let name = || spec.name.to_owned();
        results.push(match (spec.role, given(spec.name)) {
            (Role::In | Role::Scratch, _) => continue,
            (Role::InOut, None) => return Err(BadCall::MissingTensor { name: name(), role: Role::InOut }),
            (Role::InOut, Some(view)) => {
                DynTensor { name: name(), dtype: view.dtype, shape: view.shape, bytes: view.bytes.to_vec() }
            }
            (Role::Out, _) => {
                let shape = symbols
                    .shape(spec.dims)
                    .map_err(|(axis, kind)| describe(kernelpack_abi::SymbolError { tensor: index, axis, kind }))?;
                check_room(shape.bytes(spec.dtype))?;
                let bytes = vec![0; shape.bytes(spec.dtype) as usize];
                DynTensor { name: name(), dtype: spec.dtype, shape, bytes }
            }
        });
    }
    Ok(results)
}
