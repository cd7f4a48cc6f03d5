//! Checks that the tensors of a call match a signature.

use kernelpack_abi::{DType, Role, Shape, Signature, Symbols, TensorArg, TensorData, TensorSpec};

use crate::BadCall;

/// Checks that the caller's tensors match the signature, and returns the values of its symbols.
pub(crate) fn check(signature: &Signature<'_>, tensors: &[TensorArg<'_>]) -> Result<Symbols, BadCall> {
    if let (true, Some(spec)) = (tensors.len() != signature.tensors.len(), signature.tensors.last()) {
        return Err(BadCall::Role { name: spec.name.to_owned(), role: spec.role });
    }
    for (tensor, spec) in tensors.iter().zip(signature.tensors) {
        let name = || spec.name.to_owned();
        let role = spec.role;
        let len = match (&tensor.data, role) {
            (TensorData::Absent, Role::In) if spec.optional => continue,
            (TensorData::Absent, _) => return Err(BadCall::MissingTensor { name: name(), role }),
            (TensorData::Scratch, Role::Scratch) => continue,
            (TensorData::In(data), Role::In) => data.len(),
            (TensorData::Out(data), Role::Out) | (TensorData::InOut(data), Role::InOut) => data.len(),
            _ => return Err(BadCall::Role { name: name(), role }),
        };
        check_size(spec, tensor.dtype, tensor.shape, len)?;
    }
    bind(signature, tensors)
}

/// Checks that a tensor has the declared type, and as many bytes as its shape needs.
pub(crate) fn check_size(spec: &TensorSpec<'_>, dtype: DType, shape: Shape, len: usize) -> Result<(), BadCall> {
    let (name, role, expected) = (|| spec.name.to_owned(), spec.role, spec.dtype);
    if dtype != expected {
        return Err(BadCall::DType { name: name(), role, expected, actual: dtype });
    }
    match (shape.bytes(dtype), len as u64) {
        (expected, actual) if expected != actual => {
            Err(BadCall::Size { name: name(), role, shape, dtype, expected, actual })
        }
        _ => Ok(()),
    }
}

/// Determines the symbols from the tensors that are present in the call.
pub(crate) fn bind(signature: &Signature<'_>, tensors: &[TensorArg<'_>]) -> Result<Symbols, BadCall> {
    let shapes = signature.tensors.iter().zip(tensors).map(|(spec, tensor)| {
        let present = !matches!(tensor.data, TensorData::Absent | TensorData::Scratch);
        (spec.dims, present.then_some(tensor.shape))
    });
    Symbols::bind(shapes).map_err(|error| BadCall::Shape { message: error.describe(signature).to_string() })
}
