//! The faults that a kernel's module can have.

use kernelpack_abi::{ABI_VERSION, exports, section};

/// The reason why a module does not match its kernel's entry.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleFault {
    /// The bytes are not a WebAssembly binary.
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
        /// The fault at that place.
        message: String,
    },
    /// The module is a kernel's, but its custom section is missing.
    #[error("its section {:?} was stripped; strip names only, or pack again", section::NAME)]
    Stripped,
    /// The module does not look like a kernel's at all.
    #[error("it is not a kernel module: it has no section {:?}; build it with #[kernel] and pack it", section::NAME)]
    NotAKernel,
    /// There is more than one custom section with the specs of kernels.
    #[error(
        "it has {count} {:?} sections, but a kernel has one; pack it to give each kernel its own module",
        section::NAME
    )]
    ManySections {
        /// How many there are.
        count: usize,
    },
    /// The custom section does not describe exactly one kernel.
    #[error("its section {:?} has {count} entries, but a module has one kernel; pack it to split them", section::NAME)]
    ManyEntries {
        /// How many entries there are.
        count: usize,
    },
    /// The custom section cannot be read.
    #[error("its section {section:?} is unreadable: {0}", section = section::NAME)]
    BadSection(section::SectionError),
    /// The module describes the kernel differently than the entry does.
    #[error("it disagrees with its manifest entry (the module's value comes first): {difference}; pack again")]
    Disagrees {
        /// The first field that differs, with the module's value and then the manifest's.
        difference: String,
    },
    /// The module is for one engine and uses a feature that the engine's platform does not list.
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
        /// The module that it imports from.
        module: String,
        /// The name of the import in that module.
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
    /// The memory is 64-bit, is shared, or has custom pages.
    #[error("its memory is {kind}; a kernel's memory must be 32-bit and unshared, with pages of 64 KiB")]
    MemoryKind {
        /// Which of these it is.
        kind: &'static str,
    },
    /// The memory has no maximum.
    #[error("its memory has no maximum; set one of at most {limit} pages (max_memory_pages)")]
    MemoryUnbounded {
        /// Pages allowed.
        limit: u32,
    },
    /// The memory may grow larger than the entry allows.
    #[error("its memory may grow to {maximum} pages, but its max_memory_pages is {limit}")]
    MemoryTooLarge {
        /// The module's maximum.
        maximum: u64,
        /// Pages allowed.
        limit: u32,
    },
    /// The memory starts larger than its maximum.
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
        /// Elements that all tables start with, together.
        elements: u64,
        /// Elements allowed.
        limit: u32,
    },
    /// The code would cost a compiler more than a kernel may ask for.
    #[error("it has {found} {what}, more than the limit of {limit}; leave out what the kernel does not use")]
    TooMuchCode {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// A function is too large.
    #[error("its function {index} has {size} bytes, more than the limit of {limit}; split it, or inline less")]
    FunctionTooLarge {
        /// The function's position in the code section.
        index: u32,
        /// The function's size in bytes.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// An export is missing.
    #[error("it does not export {name:?}, which must be {expected}; pack it again")]
    MissingExport {
        /// The name.
        name: String,
        /// The kind and type that it should have.
        expected: String,
    },
    /// There is an export that the entry does not declare.
    #[error("it exports {name:?}, which its entry does not declare; declare it or remove it")]
    ExtraExport {
        /// The name.
        name: String,
    },
    /// An export has the wrong kind or type.
    #[error("its export {name:?} is {actual}, not {expected}")]
    WrongExport {
        /// The name.
        name: String,
        /// The kind and type that it should have.
        expected: String,
        /// The kind and type that it has.
        actual: String,
    },
    /// The entry point is not the same function as `kernel_forward`.
    #[error("its entry point {name:?} is not the same function as {:?}; make it an alias", exports::FORWARD)]
    NotAnAlias {
        /// The entry point.
        name: String,
    },
    /// An exported number cannot be read without running the module.
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
    /// The module's own data would end outside its memory.
    #[error("its {:?} is {heap_base}, beyond its memory of {memory} bytes", exports::HEAP_BASE)]
    HeapBase {
        /// The export's value.
        heap_base: u32,
        /// Bytes of memory that the module starts with.
        memory: u64,
    },
    /// The message buffer is not inside the module's own data, or not aligned to four bytes.
    #[error(
        "its message buffer at {message} is misaligned or does not end below its heap base of {heap_base}, above \
         which hosts write tensors"
    )]
    MessageBuffer {
        /// The address.
        message: u32,
        /// Where the module's own data ends.
        heap_base: u32,
    },
}
