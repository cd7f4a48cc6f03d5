//! The reasons why a pass rejects a module.

/// The reason why a module cannot become the module of a kernel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassError {
    /// The bytes are not a valid module.
    #[error("not a valid WebAssembly module: {reason}")]
    Invalid {
        /// The parser's message.
        reason: String,
    },
    /// The module imports something; a kernel runs with nothing but its own memory.
    #[error(
        "it imports the {kind} \"{module}\".\"{name}\", but a kernel must not import anything: remove the `extern` block or \
         the dependency that declares it"
    )]
    Import {
        /// The first name of the import.
        module: String,
        /// The second name of the import.
        name: String,
        /// `function`, `memory`, `table`, `global` or `tag`.
        kind: &'static str,
    },
    /// The module has a start function, which would run before any limit is armed.
    #[error("it has a start function, but a kernel may run code only when it is called: remove the static constructor")]
    Start,
    /// The spec declares an export that the module does not have.
    #[error(
        "its spec declares the export \"{export}\", which the module does not have: build it with the \
         kernelpack-guest that belongs to this kernelpack, and do not strip its exports"
    )]
    MissingExport {
        /// The export's name in the crate's module.
        export: String,
    },
    /// An export does not have the type that the ABI gives it.
    #[error("its export \"{export}\" must be {needs}, but it is {has}: do not define an export of that name yourself")]
    ExportType {
        /// The export's name in the crate's module.
        export: String,
        /// The type that the ABI gives it.
        needs: String,
        /// The type that it has.
        has: String,
    },
    /// The entry point's name is taken by an export of the ABI.
    #[error("its entry point \"{entry_point}\" has the name of an ABI export: choose another name")]
    EntryPoint {
        /// The entry point of the spec.
        entry_point: String,
    },
    /// The module has no linear memory or several.
    #[error("it has {count} memories, but a kernel has exactly one")]
    Memories {
        /// How many there are.
        count: usize,
    },
    /// The memory is 64-bit, shared, or has pages of another size.
    #[error("its memory is {what}, but a kernel's memory has 32-bit addresses and 64 KiB pages and is not shared")]
    MemoryKind {
        /// The kind of memory that it is instead.
        what: &'static str,
    },
    /// The limit on the memory is more than a memory can have.
    #[error("its max_memory_pages is {limit}, but a memory has at most {most} pages: lower it")]
    MemoryLimit {
        /// The declared limit in pages of 64 KiB.
        limit: u32,
        /// The number of pages that 32-bit addresses can reach.
        most: u32,
    },
    /// The memory starts larger than its limit.
    #[error(
        "its data and stack take {initial} pages of memory, but its max_memory_pages is {limit}: raise the limit or \
         shrink its statics"
    )]
    MemoryTooLarge {
        /// The initial size in pages of 64 KiB.
        initial: u64,
        /// The declared limit in pages of 64 KiB.
        limit: u32,
    },
    /// The tables together start larger than their limit.
    #[error(
        "its tables have {initial} elements, but its max_table_elements is {limit}: raise the limit or use fewer \
         function pointers"
    )]
    TablesTooLarge {
        /// The initial elements of all tables together.
        initial: u64,
        /// The declared limit in elements.
        limit: u32,
    },
}
