//! The mistakes that a caller can make.

use kernelpack_abi::{DType, ParamType, Role, Shape, ViewError};

/// The reason why a call is refused before the sandbox is entered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadCall {
    /// The pack has no kernel of this name.
    #[error("the pack has no kernel {name:?}; it has {}", .known.join(", "))]
    UnknownKernel {
        /// The name requested.
        name: String,
        /// The kernels of the pack.
        known: Vec<String>,
    },
    /// The stub compiled into the program and the pack describe different kernels.
    #[error(
        "the stub of kernel {kernel:?} and the pack disagree on its {difference}; \
         build the program with the crate that the pack was built from"
    )]
    StubDisagrees {
        /// The kernel's id.
        kernel: String,
        /// The first difference, with both values.
        difference: String,
    },
    /// The manager has no pack yet.
    #[error("no pack is active; upgrade the manager to one first")]
    NoActivePack,
    /// A pack that was verified for one engine is loaded by another, which needs other modules of it.
    #[error(
        "the pack was verified for another engine, which does not load {path:?}; verify it with the runtime that loads it, \
         or with `VerifiedPack::open`, which reads all modules"
    )]
    OtherEngine {
        /// The module's file, relative to the pack.
        path: String,
    },
    /// The kernel has no backward pass.
    #[error("kernel {kernel:?} has no backward pass")]
    NoBackward {
        /// The kernel's id.
        kernel: String,
    },
    /// The kernel has no tensor or scalar of this name, or has it in another role.
    #[error("kernel {kernel:?} has no {what} {name:?}; it has {}", list(.known))]
    UnknownArgument {
        /// The kernel's id.
        kernel: String,
        /// What was looked for: `input`, `output` or `parameter`.
        what: &'static str,
        /// The name given.
        name: String,
        /// The names that the kernel has.
        known: Vec<String>,
    },
    /// The same argument was given twice.
    #[error("{what} {name:?} is given twice")]
    RepeatedArgument {
        /// `input`, `output` or `parameter`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A required tensor is missing.
    #[error("{} {name:?} is missing", .role.name())]
    MissingTensor {
        /// The tensor's name.
        name: String,
        /// Its role.
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
    /// A scalar's value has the wrong type.
    #[error("parameter {name:?} is {}, but the value given is {}", .expected.name(), .actual.name())]
    ParamType {
        /// The scalar's name.
        name: String,
        /// The declared type.
        expected: ParamType,
        /// The type of the value given.
        actual: ParamType,
    },
    /// The number of tensors, or the role of one, differs from the signature.
    #[error("tensor {name:?} is {} of the kernel, but the call gives something else", article(*.role))]
    Role {
        /// The tensor's name.
        name: String,
        /// The declared role.
        role: Role,
    },
    /// The length of a slice does not match the extents given.
    #[error(transparent)]
    View(ViewError),
    /// The elements of a tensor have the wrong type.
    #[error("{} {name:?} holds {expected}, but the tensor given holds {actual}", .role.name())]
    DType {
        /// The tensor's name.
        name: String,
        /// Its role.
        role: Role,
        /// The declared type.
        expected: DType,
        /// The type of the tensor given.
        actual: DType,
    },
    /// A tensor is read as elements of another type.
    #[error("tensor {name:?} holds {actual}, so it cannot be read as {expected}")]
    ElementType {
        /// The tensor's name.
        name: String,
        /// The type requested.
        expected: DType,
        /// The type that it holds.
        actual: DType,
    },
    /// A tensor does not have as many bytes as its shape needs.
    #[error("{} {name:?} needs {shape} {dtype} ({expected} bytes), but the tensor given has {actual} bytes", .role.name())]
    Size {
        /// The tensor's name.
        name: String,
        /// Its role.
        role: Role,
        /// Its shape.
        shape: Shape,
        /// Its element type.
        dtype: DType,
        /// The bytes that its shape and element type need.
        expected: u64,
        /// The bytes given.
        actual: u64,
    },
    /// The shapes contradict the declared ones or each other.
    #[error("{message}")]
    Shape {
        /// Names the tensor, the axis and both values.
        message: String,
    },
    /// The length of a scratch tensor cannot be computed from these shapes.
    #[error("scratch tensor {name:?}: {error}")]
    Scratch {
        /// The tensor's name.
        name: String,
        /// Why the arithmetic failed.
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
        /// Whether this is the runtime's limit, which is lower than the pack's.
        of_runtime: bool,
    },
    /// A bound kernel is called with a tensor that it is not bound to.
    #[error("{} {name:?} is not the one that the kernel is bound to; bind the kernel to each set of tensors", .role.name())]
    NotBound {
        /// The tensor's name.
        name: String,
        /// Its role.
        role: Role,
    },
    /// A bound kernel is called with a tensor of another shape, which may be a part of the one that it is bound to.
    #[error(
        "{} {name:?} is {actual}, but the kernel is bound to a {bound} tensor; bind it to the new shape as well",
        .role.name()
    )]
    NotBoundShape {
        /// The tensor's name.
        name: String,
        /// Its role.
        role: Role,
        /// The shape that the kernel is bound to.
        bound: Shape,
        /// The shape given.
        actual: Shape,
    },
    /// A prepared call is entered again after an entry was stopped, which dropped its instance.
    #[error("the prepared call of kernel {kernel:?} was stopped, and its instance dropped; prepare the call again")]
    Stopped {
        /// The kernel's id.
        kernel: String,
    },
    /// A prepared call has no results, because its last entry failed or there was none.
    #[error("the prepared call of kernel {kernel:?} has no results; enter it successfully first")]
    NoResults {
        /// The kernel's id.
        kernel: String,
    },
}

/// Returns a hint at how to raise the limit. A pack is signed, so only its author can raise the pack's own limit.
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
