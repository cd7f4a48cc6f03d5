//! What a caller can get wrong.

use kernelpack_abi::{DType, ParamType, Role, Shape, ViewError};

/// Why a call is refused before the sandbox is entered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadCall {
    /// The pack has no such kernel.
    #[error("the pack has no kernel {name:?}; it has {}", .known.join(", "))]
    UnknownKernel {
        /// The name asked for.
        name: String,
        /// The kernels of the pack.
        known: Vec<String>,
    },
    /// The stub that is compiled in and the pack describe different kernels.
    #[error(
        "the stub of kernel {kernel:?} and the pack disagree on its {difference}; \
         build the program with the crate that the pack was built from"
    )]
    StubDisagrees {
        /// The kernel's id.
        kernel: String,
        /// The first difference, both sides named.
        difference: String,
    },
    /// A manager has no pack yet.
    #[error("no pack is active; upgrade the manager to one first")]
    NoActivePack,
    /// The kernel has no backward pass.
    #[error("kernel {kernel:?} has no backward pass")]
    NoBackward {
        /// The kernel's id.
        kernel: String,
    },
    /// The kernel has no tensor or scalar of this name, or not in this place.
    #[error("kernel {kernel:?} has no {what} {name:?}; it has {}", list(.known))]
    UnknownArgument {
        /// The kernel's id.
        kernel: String,
        /// What was looked for: `input` or `parameter`.
        what: &'static str,
        /// The name given.
        name: String,
        /// The names that the kernel has.
        known: Vec<String>,
    },
    /// The same argument was given twice.
    #[error("{what} {name:?} is given twice")]
    RepeatedArgument {
        /// `input` or `parameter`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A required tensor is missing.
    #[error("{} {name:?} is missing", .role.name())]
    MissingTensor {
        /// The tensor's name.
        name: String,
        /// Which way it goes.
        role: Role,
    },
    /// A scalar without a default is missing.
    #[error("parameter {name:?} ({}) has no default and is missing", .ty.name())]
    MissingParam {
        /// The scalar's name.
        name: String,
        /// Its type.
        ty: ParamType,
    },
    /// A scalar has another type.
    #[error("parameter {name:?} is {}, but the value given is {}", .expected.name(), .actual.name())]
    ParamType {
        /// The scalar's name.
        name: String,
        /// The type declared.
        expected: ParamType,
        /// The type given.
        actual: ParamType,
    },
    /// The number of tensors, or the role of one, is not the signature's.
    #[error("tensor {name:?} is {} of the kernel, but the call gives something else", article(*.role))]
    Role {
        /// The tensor's name.
        name: String,
        /// The role declared.
        role: Role,
    },
    /// A slice and extents do not make a tensor.
    #[error(transparent)]
    View(ViewError),
    /// A tensor has elements of another type.
    #[error("{} {name:?} holds {expected}, but the tensor given holds {actual}", .role.name())]
    DType {
        /// The tensor's name.
        name: String,
        /// Which way it goes.
        role: Role,
        /// The type declared.
        expected: DType,
        /// The type given.
        actual: DType,
    },
    /// A tensor is read as one of another element type.
    #[error("tensor {name:?} holds {actual}, so it cannot be read as {expected}")]
    ElementType {
        /// The tensor's name.
        name: String,
        /// The type asked for.
        expected: DType,
        /// The type that it holds.
        actual: DType,
    },
    /// A tensor's bytes are not what its shape needs.
    #[error("{} {name:?} needs {shape} {dtype} ({expected} bytes), but the tensor given has {actual} bytes", .role.name())]
    Size {
        /// The tensor's name.
        name: String,
        /// Which way it goes.
        role: Role,
        /// Its shape.
        shape: Shape,
        /// Its element type.
        dtype: DType,
        /// The bytes that these make.
        expected: u64,
        /// The bytes given.
        actual: u64,
    },
    /// The shapes disagree with the declared ones or with each other.
    #[error("{message}")]
    Shape {
        /// The tensor, the axis, and both values.
        message: String,
    },
    /// A scratch tensor's length has no value for these shapes.
    #[error("scratch tensor {name:?}: {error}")]
    Scratch {
        /// The tensor's name.
        name: String,
        /// What the arithmetic did.
        error: kernelpack_abi::ExprError,
    },
    /// The tensors need more memory than the kernel may have.
    #[error(
        "kernel {kernel:?} would need {needed} pages of 64 KiB for these tensors, but its limit is {limit}; \
         make the call smaller, {}",
        remedy(*.of_runtime)
    )]
    TooLarge {
        /// The kernel's id.
        kernel: String,
        /// Pages that the call needs.
        needed: u64,
        /// Pages that the kernel may have.
        limit: u32,
        /// Whether it is the runtime's ceiling, below what the pack says.
        of_runtime: bool,
    },
    /// A bound kernel is called with another tensor than it is bound to.
    #[error("{} {name:?} is not the one that the kernel is bound to; bind the kernel to each set of tensors", .role.name())]
    NotBound {
        /// The tensor's name.
        name: String,
        /// Which way it goes.
        role: Role,
    },
    /// A bound kernel is called with a tensor of another shape, perhaps a part of the one that it is bound to.
    #[error(
        "{} {name:?} is {actual}, but the kernel is bound to a {bound} tensor; bind it to the new shape as well",
        .role.name()
    )]
    NotBoundShape {
        /// The tensor's name.
        name: String,
        /// Which way it goes.
        role: Role,
        /// The shape that the kernel is bound to.
        bound: Shape,
        /// The shape given.
        actual: Shape,
    },
    /// A prepared call is entered, but an earlier entry was stopped and its instance thrown away.
    #[error("the prepared call of kernel {kernel:?} was stopped, and its instance dropped; prepare the call again")]
    Stopped {
        /// The kernel's id.
        kernel: String,
    },
    /// A prepared call is asked for its results, but its last entry did not succeed or there was none.
    #[error("the prepared call of kernel {kernel:?} has no results; enter it successfully first")]
    NoResults {
        /// The kernel's id.
        kernel: String,
    },
}

/// Who can raise a limit: the pack is signed.
fn remedy(of_runtime: bool) -> &'static str {
    if of_runtime {
        "or raise the runtime's max_memory_pages"
    } else {
        "or ask the kernel's author to raise max_memory_pages in #[kernel]: the pack is signed with this limit"
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn article(role: Role) -> String {
    let name = role.name();
    let article = if name.starts_with(['i', 'o']) { "an" } else { "a" };
    format!("{article} {name}")
}
