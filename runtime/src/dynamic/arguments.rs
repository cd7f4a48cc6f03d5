//! Converts named arguments to the tensor table and scalars of a call.

use std::array;

use kernelpack_abi::{
    DType, MAX_PARAMS, MAX_TENSORS, ParamSpec, ParamValue, Role, Shape, Signature, TensorArg, TensorData, TensorSpec,
    params,
};

use super::{DynView, DynViewMut};
use crate::BadCall;

/// Refuses names that the kernel does not have, and names given twice.
pub(super) fn check_names<'a>(
    kernel: &str,
    what: &'static str,
    given: impl Iterator<Item = &'a str> + Clone,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), BadCall> {
    for (index, name) in given.clone().enumerate() {
        if !known.clone().any(|known| known == name) {
            let known = known.map(str::to_owned).collect();
            return Err(BadCall::UnknownArgument { kernel: kernel.to_owned(), what, name: name.to_owned(), known });
        }
        if given.clone().take(index).any(|earlier| earlier == name) {
            return Err(BadCall::RepeatedArgument { what, name: name.to_owned() });
        }
    }
    Ok(())
}

/// The value given for a name.
pub(super) fn find<'a, T>(given: &'a [(&str, T)], name: &str) -> Option<&'a T> {
    given.iter().find(|(given, _)| *given == name).map(|(_, value)| value)
}

/// The scalars of a params block: the given values, or their defaults.
pub(super) struct Scalars {
    /// No scalar has more than four bytes.
    bytes: [u8; 4 * MAX_PARAMS],
    len: usize,
}

impl Scalars {
    pub(super) fn new(kernel: &str, specs: &[ParamSpec<'_>], given: &[(&str, ParamValue)]) -> Result<Self, BadCall> {
        let named = specs.iter().map(|spec| spec.name);
        check_names(kernel, "parameter", given.iter().map(|(name, _)| *name), named)?;
        let mut scalars = Self { bytes: [0; 4 * MAX_PARAMS], len: params::scalars_size(specs) as usize };
        for (index, spec) in specs.iter().enumerate() {
            let (name, ty) = (|| spec.name.to_owned(), spec.ty);
            let value = find(given, spec.name).copied().or(spec.default);
            let value = value.ok_or_else(|| BadCall::MissingParam { name: name(), ty })?;
            if !params::write_scalar(&mut scalars.bytes, specs, index, value) {
                return Err(BadCall::ParamType { name: name(), expected: ty, actual: value.ty() });
            }
        }
        Ok(scalars)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The row and role of a tensor, if it has this element type.
fn row_of(signature: &Signature<'_>, name: &str, actual: DType) -> Result<(usize, Role), BadCall> {
    let mut rows = signature.tensors.iter().enumerate();
    match rows.find(|(_, spec)| spec.name == name) {
        Some((row, spec)) if spec.dtype == actual => Ok((row, spec.role)),
        Some((_, spec)) => Err(BadCall::DType { name: name.to_owned(), role: spec.role, expected: spec.dtype, actual }),
        None => Err(BadCall::MissingTensor { name: name.to_owned(), role: Role::In }),
    }
}

/// Passes the arguments of a call to `f` without allocating anything: the caller's tensors, in the order of the table,
/// and the scalars.
///
/// In-out tensors are outputs. Missing tensors become absent ones, which the later check of the tensors refuses.
pub(crate) fn lend<R>(
    kernel: &str,
    signature: &Signature<'_>,
    inputs: &[(&str, DynView<'_>)],
    outputs: &mut [(&str, DynViewMut<'_>)],
    params: &[(&str, ParamValue)],
    f: impl FnOnce(&mut [TensorArg<'_>], &[u8]) -> R,
) -> Result<R, BadCall> {
    let named =
        |fits: fn(Role) -> bool| signature.tensors.iter().filter(move |spec| fits(spec.role)).map(|spec| spec.name);
    let is_output = |role| matches!(role, Role::Out | Role::InOut);
    check_names(kernel, "input", inputs.iter().map(|(name, _)| *name), named(|role| role == Role::In))?;
    check_names(kernel, "output", outputs.iter().map(|(name, _)| *name), named(is_output))?;
    let scalars = Scalars::new(kernel, signature.params, params)?;

    let mut rows: [TensorArg<'_>; MAX_TENSORS] = array::from_fn(|row| {
        let (dtype, data) = match signature.tensors.get(row) {
            Some(TensorSpec { dtype, role: Role::Scratch, .. }) => (*dtype, TensorData::Scratch),
            spec => (spec.map_or(DType::U8, |spec| spec.dtype), TensorData::Absent),
        };
        TensorArg { dtype, shape: Shape::default(), data }
    });
    for (name, view) in inputs {
        let (row, _) = row_of(signature, name, view.dtype)?;
        rows[row] = TensorArg { dtype: view.dtype, shape: view.shape, data: TensorData::In(view.bytes) };
    }
    for (name, view) in outputs {
        let (row, role) = row_of(signature, name, view.dtype)?;
        let bytes = &mut *view.bytes;
        let data = if role == Role::InOut { TensorData::InOut(bytes) } else { TensorData::Out(bytes) };
        rows[row] = TensorArg { dtype: view.dtype, shape: view.shape, data };
    }
    Ok(f(&mut rows[..signature.tensors.len().min(MAX_TENSORS)], scalars.bytes()))
}
