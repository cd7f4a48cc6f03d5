//! Calls with named arguments, for programs that know a pack only at run time.

use std::sync::Arc;

use kernelpack_abi::{
    DType, Element, KernelInfo, KernelSpecBuf, MAX_TENSORS, ParamSpec, ParamValue, Role, Shape, Signature,
    SignatureBuf, Symbols, TensorArg, TensorBuf, TensorData, TensorView, params,
};
use zerocopy::IntoBytes;

use crate::{BadCall, Error, Occupancy, Placement, Prepared, engine::Export, guest::check_size, loaded::LoadedKernel};

/// A borrowed tensor whose type is known at run time.
#[derive(Clone, Copy, Debug)]
pub struct DynView<'a> {
    /// The type of its elements.
    pub dtype: DType,
    /// Its extents; for block types they count blocks.
    pub shape: Shape,
    /// Its elements, row-major and little-endian.
    pub bytes: &'a [u8],
}

impl<'a, T: Element> From<TensorView<'a, T>> for DynView<'a> {
    fn from(view: TensorView<'a, T>) -> Self {
        Self { dtype: T::DTYPE, shape: view.shape(), bytes: view.data().as_bytes() }
    }
}

impl<'a, T: Element> From<&'a TensorBuf<T>> for DynView<'a> {
    fn from(tensor: &'a TensorBuf<T>) -> Self {
        tensor.view().into()
    }
}

impl<'a> From<&'a DynTensor> for DynView<'a> {
    fn from(tensor: &'a DynTensor) -> Self {
        Self { dtype: tensor.dtype, shape: tensor.shape, bytes: &tensor.bytes }
    }
}

/// An owned tensor whose type is known at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynTensor {
    /// The parameter's name.
    pub name: String,
    /// The type of its elements.
    pub dtype: DType,
    /// Its extents; for block types they count blocks.
    pub shape: Shape,
    /// Its elements, row-major and little-endian.
    pub bytes: Vec<u8>,
}

/// A kernel of a pack, called with named arguments.
///
/// Cheap to clone, and callable from many threads at once.
#[derive(Clone)]
pub struct DynKernel {
    loaded: Arc<LoadedKernel>,
    max_ticks: u32,
}

impl DynKernel {
    pub(crate) fn new(loaded: Arc<LoadedKernel>) -> Self {
        Self { loaded, max_ticks: u32::MAX }
    }

    /// The kernel's id.
    pub fn id(&self) -> &str {
        &self.loaded.id
    }

    /// Where the kernel runs.
    pub fn placement(&self) -> Placement {
        self.loaded.recovery.placement()
    }

    /// The name of the reference implementation that calls fall back to, if there is one and the runtime's
    /// [`FallbackPolicy`](crate::FallbackPolicy) allows it.
    pub fn fallback(&self) -> Option<&str> {
        self.loaded.recovery.fallback()
    }

    /// What the kernel is.
    pub(crate) fn spec(&self) -> &KernelSpecBuf {
        &self.loaded.spec
    }

    /// What a forward call takes.
    pub fn signature(&self) -> &SignatureBuf {
        &self.loaded.spec.forward
    }

    /// What a backward call takes, if the kernel has one.
    pub fn backward_signature(&self) -> Option<&SignatureBuf> {
        self.loaded.spec.backward.as_ref()
    }

    /// How many instances the kernel has, and how many it may have.
    pub fn occupancy(&self) -> Occupancy {
        self.loaded.pool.occupancy()
    }

    /// The same kernel with a budget of at most this many epoch ticks of 10 ms for each call.
    pub fn with_max_ticks(mut self, ticks: u32) -> Self {
        self.max_ticks = ticks;
        self
    }

    /// Runs the kernel on named inputs, among them the start values of in-out tensors, and returns its outputs and
    /// in-out tensors in declaration order. Scalars that are not given have their defaults.
    ///
    /// # Errors
    /// [`Error::BadCall`] if a name, type or shape is wrong or missing, before the sandbox is entered;
    /// [`Error::Trapped`] if the kernel fails or runs out of its budget, unless its reference gives the result as the
    /// runtime's [`FallbackPolicy`](crate::FallbackPolicy) says; [`Error::OutOfService`] if it failed too often.
    pub fn call(&self, inputs: &[(&str, DynView<'_>)], params: &[(&str, ParamValue)]) -> Result<Vec<DynTensor>, Error> {
        self.loaded.spec.forward.with(|signature| self.pass(Export::Forward, signature, inputs, params))
    }

    /// Runs the kernel's backward pass; as [`call`](Self::call).
    ///
    /// # Errors
    /// As [`call`](Self::call); or the kernel has no backward pass.
    pub fn backward(
        &self,
        inputs: &[(&str, DynView<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<Vec<DynTensor>, Error> {
        match &self.loaded.spec.backward {
            None => Err(BadCall::NoBackward { kernel: self.id().to_owned() }.into()),
            Some(signature) => signature.with(|signature| self.pass(Export::Backward, signature, inputs, params)),
        }
    }

    /// Lays out a call once, to enter the kernel many times; the arguments are those of [`call`](Self::call).
    ///
    /// This is the sandbox alone, wherever the kernel is placed: nothing falls back, is logged or reported.
    ///
    /// # Errors
    /// As [`call`](Self::call); the kernel does not run yet.
    pub fn prepare(&self, inputs: &[(&str, DynView<'_>)], params: &[(&str, ParamValue)]) -> Result<Prepared, Error> {
        self.loaded.spec.forward.with(|signature| {
            let (mut prepared, results) = self.arrange(signature, inputs, params, |tensors, scalars| {
                Prepared::lay_out(self.loaded.clone(), signature, tensors, scalars, self.max_ticks)
            })?;
            prepared.set_results(results);
            Ok(prepared)
        })
    }

    /// What the guest's `kernel_info` says, and the id in it. A guest can say anything.
    ///
    /// # Errors
    /// [`Error::Trapped`] if the guest fails instead of saying something.
    pub fn info(&self) -> Result<(KernelInfo, Option<String>), Error> {
        self.loaded.info()
    }

    fn pass(
        &self,
        export: Export,
        signature: &Signature<'_>,
        inputs: &[(&str, DynView<'_>)],
        params: &[(&str, ParamValue)],
    ) -> Result<Vec<DynTensor>, Error> {
        let ((), results) = self.arrange(signature, inputs, params, |tensors, scalars| {
            self.loaded.serve(export, signature, tensors, scalars, self.max_ticks)
        })?;
        Ok(results)
    }

    /// Lends the tensors of a call, in the order of the table, and its scalars to `f`, and returns what the call's
    /// outputs and in-out tensors then are.
    fn arrange<R>(
        &self,
        signature: &Signature<'_>,
        inputs: &[(&str, DynView<'_>)],
        params: &[(&str, ParamValue)],
        f: impl FnOnce(&mut [TensorArg<'_>], &[u8]) -> Result<R, Error>,
    ) -> Result<(R, Vec<DynTensor>), Error> {
        let takes_value = |role| matches!(role, Role::In | Role::InOut);
        let named = signature.tensors.iter().filter(|tensor| takes_value(tensor.role)).map(|tensor| tensor.name);
        self.check_names("input", inputs.iter().map(|(name, _)| *name), named)?;
        let named = signature.params.iter().map(|param| param.name);
        self.check_names("parameter", params.iter().map(|(name, _)| *name), named)?;
        let scalars = scalars(signature.params, params)?;

        let given = |name: &str| find(inputs, name);
        // Before anything is allocated by the shapes that they claim.
        for spec in signature.tensors {
            if let Some(view) = given(spec.name) {
                check_size(spec, view.dtype, view.shape, view.bytes.len())?;
            }
        }
        let mut results = allocate(signature, inputs, |bytes| self.loaded.check_room(bytes))?;
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
                // `allocate` made one for each of these, in the same order.
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
        let returned = f(&mut tensors, &scalars)?;
        drop(tensors);
        Ok((returned, results))
    }

    /// Refuses names that the kernel does not have, and names given twice.
    fn check_names<'a>(
        &self,
        what: &'static str,
        given: impl Iterator<Item = &'a str>,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), BadCall> {
        let mut seen: Vec<&str> = Vec::new();
        for name in given {
            if !known.clone().any(|known| known == name) {
                let known = known.map(str::to_owned).collect();
                return Err(BadCall::UnknownArgument {
                    kernel: self.id().to_owned(),
                    what,
                    name: name.to_owned(),
                    known,
                });
            }
            if seen.contains(&name) {
                return Err(BadCall::RepeatedArgument { what, name: name.to_owned() });
            }
            seen.push(name);
        }
        Ok(())
    }
}

impl std::fmt::Debug for DynKernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DynKernel").field(&self.loaded.id).finish()
    }
}

/// The tensor given under a name.
fn find<'a>(inputs: &[(&str, DynView<'a>)], name: &str) -> Option<DynView<'a>> {
    inputs.iter().find(|(given, _)| *given == name).map(|(_, view)| *view)
}

/// The scalars of a params block: given values, else defaults.
fn scalars(specs: &[ParamSpec<'_>], given: &[(&str, ParamValue)]) -> Result<Vec<u8>, BadCall> {
    let mut scalars = vec![0; params::scalars_size(specs) as usize];
    for (index, spec) in specs.iter().enumerate() {
        let (name, ty) = (|| spec.name.to_owned(), spec.ty);
        let value = given.iter().find(|(name, _)| *name == spec.name).map(|(_, value)| *value).or(spec.default);
        let value = value.ok_or_else(|| BadCall::MissingParam { name: name(), ty })?;
        if !params::write_scalar(&mut scalars, specs, index, value) {
            return Err(BadCall::ParamType { name: name(), expected: ty, actual: value.ty() });
        }
    }
    Ok(scalars)
}

/// Room for the results in declaration order; in-out tensors hold their start values.
///
/// `check_room` judges whether the kernel could have a tensor of so many bytes.
fn allocate(
    signature: &Signature<'_>,
    inputs: &[(&str, DynView<'_>)],
    check_room: impl Fn(u64) -> Result<(), BadCall>,
) -> Result<Vec<DynTensor>, BadCall> {
    let given = |name: &str| find(inputs, name);
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
