//! The faults that a kernel's entry can have.

use kernelpack_abi::{MAX_PARAMS, MAX_RANK, MAX_SYMBOLS, MAX_TENSORS, ResourceLimits};

use crate::{AotTarget, LengthError, MAX_NAME_BYTES, MAX_VECTORS};

/// The reason why a kernel's entry contradicts itself or the ABI.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelFault {
    /// A name is not an identifier.
    #[error(
        "the {what} name {name:?} is not an identifier; use at most {MAX_NAME_BYTES} ASCII letters, digits \
         and '_', and do not begin with a digit"
    )]
    BadName {
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A text is too long for the custom section.
    #[error("the {field} has {size} bytes, more than the limit of {}; shorten it", u16::MAX)]
    TextTooLong {
        /// The field.
        field: &'static str,
        /// The size of the text in bytes.
        size: usize,
    },
    /// A text contains control characters or marks that change the writing direction, which could deceive people who
    /// read it on a terminal.
    #[error("the {field} contains control characters: {text:?}; remove them")]
    ControlCharacters {
        /// The field.
        field: &'static str,
        /// The text.
        text: String,
    },
    /// The entry point has the name of a standard export.
    #[error("the entry point {name:?} is the name of a standard export; choose another, such as \"rope_forward\"")]
    ReservedEntryPoint {
        /// The name.
        name: String,
    },
    /// The path does not consist of the family and the id.
    #[error("the path {path:?} must consist of a folder and the kernel's id: \"family/{id}.wasm\"")]
    PathDisagrees {
        /// The path.
        path: String,
        /// The kernel's id.
        id: String,
    },
    /// A memory cannot have this many pages.
    #[error("max_memory_pages is {pages}; choose 1 to 65536 (4 GiB)")]
    MemoryLimit {
        /// The value.
        pages: u32,
    },
    /// The time limit is zero.
    #[error("max_epoch_ticks is 0, so no call could ever run; choose at least 1 (10 ms)")]
    TickLimit,
    /// A pool cannot have this many instances.
    #[error("max_instances is {instances}; choose 1 to {}", ResourceLimits::MOST_INSTANCES)]
    InstanceLimit {
        /// The value.
        instances: u32,
    },
    /// Engines do not support a stack of this size.
    #[error(
        "max_stack_bytes is {bytes}; choose a power of two from {} to {}",
        ResourceLimits::LEAST_STACK,
        ResourceLimits::MOST_STACK
    )]
    StackLimit {
        /// The value.
        bytes: u32,
    },
    /// Two things have the same name.
    #[error("the name {name:?} is used twice; tensors, parameters and symbols of a pass need different names")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A list is longer than the ABI allows.
    #[error("there are {count} {what}, more than the limit of {limit}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The indices of tensors or parameters do not count up from 0 without a gap.
    #[error("{what} {name:?} has index {index}, which is taken or too large; number the {count} {what}s from 0")]
    BadIndex {
        /// What has the index.
        what: &'static str,
        /// Its name.
        name: String,
        /// The index.
        index: u32,
        /// How many there are.
        count: usize,
    },
    /// An in-out tensor is missing from the inputs or the outputs, or differs between the two.
    #[error("the in-out tensor {name:?} must be listed among both the inputs and the outputs, identically")]
    InOutDisagrees {
        /// The tensor's name.
        name: String,
    },
    /// An optional tensor is not an input.
    #[error("the tensor {name:?} is optional, but only inputs can be; make it required")]
    OptionalOutput {
        /// The tensor's name.
        name: String,
    },
    /// An extent divides or multiplies by zero.
    #[error("the shape of {name:?} divides or multiplies by 0")]
    ZeroFactor {
        /// The tensor's name.
        name: String,
    },
    /// A scratch length uses a symbol that no shape has.
    #[error(
        "the length of scratch {name:?} uses {symbol:?}, which appears in no shape, so no call determines its value"
    )]
    UnknownSymbol {
        /// The tensor's name.
        name: String,
        /// The symbol.
        symbol: String,
    },
    /// Calls cannot be split over something that is not a symbol of the outputs.
    #[error("split names {symbol:?}, which no output has as a symbol; name the outermost axis of the outputs")]
    UnknownSplit {
        /// The name.
        symbol: String,
    },
    /// A tensor prevents calls from being split over a symbol.
    #[error(
        "calls cannot be split over {symbol:?} because of the tensor {tensor:?}: the symbol may only be the outermost \
         axis of a tensor, without a factor, and every output must have it"
    )]
    BadSplit {
        /// The symbol.
        symbol: String,
        /// The first tensor that prevents this.
        tensor: String,
    },
    /// A default is not of its parameter's type, or not finite.
    #[error("the default of parameter {name:?} is not a finite {ty}")]
    BadDefault {
        /// The parameter's name.
        name: String,
        /// Its type.
        ty: &'static str,
    },
    /// The name of a platform or feature is not a plain word, or a feature is repeated.
    #[error(
        "the platform or feature {name:?} is not a plain word or is repeated; use lower-case letters, digits and '-'"
    )]
    BadPlatform {
        /// The name.
        name: String,
    },
    /// An option of a compiled file is not a plain word, is repeated, or is one too many.
    #[error("the option {option:?} for {target} is not a plain word, is repeated, or is one too many")]
    BadAotOption {
        /// The machine.
        target: AotTarget,
        /// The option.
        option: String,
    },
    /// A file was compiled without a check that hosts rely on.
    #[error(
        "the file for {target} was compiled without {check}, which hosts rely on; compile it with `kernelpack aot`"
    )]
    UncheckedAot {
        /// The machine.
        target: AotTarget,
        /// The missing one of [`AOT_CHECKS`](crate::AOT_CHECKS).
        check: &'static str,
    },
    /// Two files are for the same machine.
    #[error("there are two files for {target}; keep one")]
    DuplicateAot {
        /// The machine.
        target: AotTarget,
    },
    /// A file was compiled from a module that is not the kernel's.
    #[error("the file for {target} was compiled from another module; compile it again")]
    StaleAot {
        /// The machine.
        target: AotTarget,
    },
    /// The path of a compiled file does not derive from the kernel's own.
    #[error("the file {path:?} for {target} must be called \"{stem}.{target}.aot\"")]
    AotPath {
        /// The machine.
        target: AotTarget,
        /// The path.
        path: String,
        /// The kernel's own path without its extension.
        stem: String,
    },
    /// The path of a module for one engine does not derive from the kernel's own.
    #[error("the module {path:?} for {engine} must be called \"{stem}.VARIANT.wasm\", where VARIANT is a plain word")]
    VariantPath {
        /// The engine's name.
        engine: String,
        /// The path.
        path: String,
        /// The kernel's own path without its extension.
        stem: String,
    },
    /// A measurement is negative or not finite.
    #[error("the benchmark {name:?} has the value {value}; measurements must be finite and not negative")]
    BadBenchmark {
        /// The workload.
        name: String,
        /// The value.
        value: f64,
    },
    /// A spec uses an undeclared symbol.
    #[error("the shape or length of {name:?} uses symbol {index}, which is not declared")]
    UndeclaredSymbol {
        /// The tensor's name.
        name: String,
        /// The index.
        index: u8,
    },
    /// A scratch length of a spec is not well-formed.
    #[error("the length of scratch {name:?} cannot be used: {error}")]
    BadLength {
        /// The tensor's name.
        name: String,
        /// The fault.
        error: LengthError,
    },
    /// The manifest format cannot express the spec: it declares symbols in the order of their first appearance in
    /// shapes, so all of them must appear there, in that order.
    #[error("a manifest cannot express the spec exactly; it would read back differently: {difference}")]
    Inexpressible {
        /// The first field that would differ, the spec's value first.
        difference: String,
    },
    /// Something is wrong in the backward pass.
    #[error("in the backward pass, {0}")]
    Backward(Box<KernelFault>),
}

impl KernelFault {
    pub(crate) fn too_many(what: &'static str, count: usize) -> Self {
        let limit = match what {
            "tensors" => MAX_TENSORS,
            "parameters" => MAX_PARAMS,
            "symbols" => MAX_SYMBOLS,
            "health vectors" => MAX_VECTORS,
            _ => MAX_RANK,
        };
        Self::TooMany { what, count, limit }
    }
}
