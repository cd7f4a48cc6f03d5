//! The tolerance for comparing health vectors.

use kernelpack_abi::{DType, Role, SignatureBuf, TensorSpecBuf};

use crate::project::Project;

/// Returns how far the sandbox's results may be from the function's unless the author says otherwise: about ten units
/// in the last place, since std's mathematical functions differ between WebAssembly and this machine.
pub(super) fn tolerance(project: &Project, signature: &SignatureBuf) -> f64 {
    let of = |tensor: &TensorSpecBuf| match (tensor.role, tensor.dtype) {
        (Role::Out | Role::InOut, DType::F16) => 1e-3,
        (Role::Out | Role::InOut, DType::F32) => 1e-5,
        _ => 0.0,
    };
    let widest = signature.tensors.iter().map(of).fold(0.0, f64::max);
    project.overrides.health_tolerance.unwrap_or(widest)
}
