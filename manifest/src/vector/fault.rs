//! The faults that a health vector can have.

use kernelpack_abi::{DType, ParamType, Signature};

use crate::{HEALTH_FOLDER, VECTOR_SUFFIX};

/// The reason why a health vector, or its entry in the manifest, does not fit its kernel.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VectorFault {
    /// The path is not that of a vector.
    #[error("health vectors belong at \"{HEALTH_FOLDER}/NAME{VECTOR_SUFFIX}\"; move it there")]
    BadPath,
    /// The tolerance is not from 0 to below 1.
    #[error("the tolerance is {tolerance}; choose one from 0 (bit for bit) to below 1")]
    BadTolerance {
        /// The value.
        tolerance: f64,
    },
    /// The kernel has no scalar with this name.
    #[error("the kernel has no parameter {param:?}; its parameters: {}", list(.known))]
    UnknownParam {
        /// The name given.
        param: String,
        /// The names that the kernel has.
        known: Vec<String>,
    },
    /// A scalar is not a finite value of its type.
    #[error("the value of parameter {param:?} is not a finite {}", .expected.name())]
    ParamType {
        /// The scalar's name.
        param: String,
        /// The type declared.
        expected: ParamType,
    },
    /// A scalar without a default has no value.
    #[error("parameter {param:?} has neither a default nor a value; give it a value")]
    MissingParam {
        /// The scalar's name.
        param: String,
    },
    /// The bytes are not a safetensors file.
    #[error("it is not a safetensors file: {message}")]
    NotSafetensors {
        /// The fault in them.
        message: String,
    },
    /// The kernel has no tensor with this name in a vector.
    #[error("it has the tensor {tensor:?}, which the kernel does not; the kernel's tensors: {}", list(.known))]
    UnknownTensor {
        /// The name in the file.
        tensor: String,
        /// The names that the kernel's tensors have in a vector.
        known: Vec<String>,
    },
    /// A tensor of the kernel is missing.
    #[error("it has no tensor {tensor:?}; add it")]
    MissingTensor {
        /// The tensor's name in a vector.
        tensor: String,
    },
    /// A tensor has elements of another type.
    #[error("its tensor {tensor:?} is stored as {actual}, but {expected} is stored as {stored}")]
    DType {
        /// The name in the file.
        tensor: String,
        /// The type declared.
        expected: DType,
        /// How a file stores that type.
        stored: String,
        /// The type in the file.
        actual: String,
    },
    /// A tensor has a shape that its type cannot have.
    #[error("the shape of its tensor {tensor:?} is invalid: {message}")]
    BadShape {
        /// The name in the file.
        tensor: String,
        /// The reason.
        message: String,
    },
    /// A tensor has more or fewer bytes than its shape takes.
    #[error("its tensor {tensor:?} has {actual} bytes, but its shape takes {expected}")]
    Size {
        /// The name in the file.
        tensor: String,
        /// The bytes that the shape takes.
        expected: u64,
        /// The bytes given.
        actual: u64,
    },
    /// The shapes disagree with the declared ones or with each other.
    #[error("{message}")]
    Shapes {
        /// The tensor, the axis, and both values.
        message: String,
    },
}

impl VectorFault {
    pub(crate) fn unknown_param(param: &str, signature: &Signature<'_>) -> Self {
        let known = signature.params.iter().map(|param| param.name.to_owned()).collect();
        Self::UnknownParam { param: param.to_owned(), known }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
