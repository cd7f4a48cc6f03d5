//! What can be wrong with a kernel's module.

use kernelpack_abi::{ABI_VERSION, exports, section};

/// Why a module is not the one that its kernel's entry describes.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleFault {
    /// The bytes are no WebAssembly binary.
    #[error("it is not a WebAssembly binary; if it is text, assemble it first")]
    NotWasm,
    /// The bytes are a WebAssembly component.
    #[error("it is a WebAssembly component; kernels are core modules")]
    Component,
    /// The module is not valid with the features that kernels may use.
    #[error("it is invalid at byte {offset}: {message}")]
    Invalid {
        /// Offset in the module.
        offset: usize,
        /// What is wrong there.
        message: String,
    },
    /// The module was a kernel's, but its custom section is gone.
    #[error("its section {:?} was stripped; strip names only, or pack again", section::NAME)]
    Stripped,
    /// The module does not look like a kernel's at all.
    #[error("it is not a kernel module: it has no section {:?}; build it with #[kernel] and pack it", section::NAME)]
    NotAKernel,
    /// There is more than one custom section of the name.
    #[error(
        "it has {count} {:?} sections, but a kernel has one; pack it to give each kernel its own module",
        section::NAME
    )]
    ManySections {
        /// How many there are.
        count: usize,
    },
    /// The custom section does not tell of one kernel.
    #[error("its section {:?} has {count} entries, but a module has one kernel; pack it to split them", section::NAME)]
    ManyEntries {
        /// How many entries there are.
        count: usize,
    },
    /// The custom section cannot be read.
    #[error("its section {section:?} is unreadable: {0}", section = section::NAME)]
    BadSection(#[source] section::SectionError),
    /// The module says something else of the kernel than its entry.
    #[error("it disagrees with its manifest entry (the module's value comes first): {difference}; pack again")]
    Disagrees {
        /// The first field that differs, with the module's value and then the manifest's.
        difference: String,
    },
    /// The module is for one engine, whose platform does not list a feature that it uses.
    #[error("it uses the WebAssembly feature {feature:?}, which the platform {engine:?} does not list; pack again")]
    UnlistedFeature {
        /// The engine's name.
        engine: String,
        /// The feature.
        feature: &'static str,
    },
    /// The module imports something.
    #[error("it imports {module:?} {name:?}; kernels import nothing")]
    Import {
        /// The module imported from.
        module: String,
        /// The name there.
        name: String,
    },
    /// The module has a start function.
    #[error("it has a start function, which would run before any call; use kernel_init instead")]
    Start,
    /// The module does not have exactly one memory.
    #[error("it has {count} memories, but a kernel has exactly one")]
    MemoryCount {
        /// How many it has.
        count: usize,
    },
    /// The memory is addressed with 64 bits, shared, or made of other pages.
    #[error("its memory is {kind}; a kernel's memory must be 32-bit and unshared, with pages of 64 KiB")]
    MemoryKind {
        /// What it is.
        kind: &'static str,
    },
    /// The memory has no maximum.
    #[error("its memory has no maximum; set one of at most {limit} pages (max_memory_pages)")]
    MemoryUnbounded {
        /// Pages allowed.
        limit: u32,
    },
    /// The memory may become larger than the entry allows.
    #[error("its memory may grow to {maximum} pages, but its max_memory_pages is {limit}")]
    MemoryTooLarge {
        /// The module's maximum.
        maximum: u64,
        /// Pages allowed.
        limit: u32,
    },
    /// The memory starts larger than it may become.
    #[error("its memory starts with {initial} pages, above its own maximum of {maximum}")]
    MemoryCrossed {
        /// Pages at the start.
        initial: u64,
        /// The module's maximum.
        maximum: u64,
    },
    /// The tables have more elements than the entry allows.
    #[error("its tables start with {elements} elements, but its max_table_elements is {limit}")]
    TableTooLarge {
        /// Elements of all tables at the start.
        elements: u64,
        /// Elements allowed.
        limit: u32,
    },
    /// The module has more code than a kernel may ask a compiler to work through.
    #[error("it has {found} {what}, more than the limit of {limit}; leave out what the kernel does not use")]
    TooMuchCode {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much may be.
        limit: u64,
    },
    /// A function is larger than a kernel's may be.
    #[error("its function {index} has {size} bytes, more than the limit of {limit}; split it, or inline less")]
    FunctionTooLarge {
        /// The function's place in the module.
        index: u32,
        /// Its bytes.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// An export is missing.
    #[error("it does not export {name:?}, which must be {expected}; pack it again")]
    MissingExport {
        /// The name.
        name: String,
        /// What it should be.
        expected: String,
    },
    /// There is an export that the entry does not declare.
    #[error("it exports {name:?}, which its entry does not declare; declare it or remove it")]
    ExtraExport {
        /// The name.
        name: String,
    },
    /// An export is of another kind or type.
    #[error("its export {name:?} is {actual}, not {expected}")]
    WrongExport {
        /// The name.
        name: String,
        /// What it should be.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// The entry point is another function than `kernel_forward`.
    #[error("its entry point {name:?} is not the same function as {:?}; make it an alias", exports::FORWARD)]
    NotAnAlias {
        /// The entry point.
        name: String,
    },
    /// An exported number is not known without running the module.
    #[error("its export {name:?} is not initialised by a plain i32.const")]
    NotConstant {
        /// The export.
        name: &'static str,
    },
    /// The module was built for another ABI.
    #[error("it was built for ABI version {found}, but this build runs {ABI_VERSION}; build and pack it again")]
    AbiVersion {
        /// The version found.
        found: u32,
    },
    /// The module's own data would end beyond its memory.
    #[error("its {:?} is {heap_base}, beyond its memory of {memory} bytes", exports::HEAP_BASE)]
    HeapBase {
        /// The export's value.
        heap_base: u32,
        /// Bytes of the memory at the start.
        memory: u64,
    },
    /// The message buffer is not in the module's own data, or not aligned to four bytes.
    #[error(
        "its message buffer at {message} is misaligned or does not end below its heap base of {heap_base}, above \
         which hosts write tensors"
    )]
    MessageBuffer {
        /// The address.
        message: u32,
        /// Where the module's own data end.
        heap_base: u32,
    },
}
