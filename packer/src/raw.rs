//! Reads the module that cargo made from a crate, and which kernels it declares, before any pass has changed it.
//!
//! Only this file knows the names of the exports in a crate's module.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use kernelpack_abi::{
    KernelSpecBuf, exports,
    section::{self, Entry, SectionError},
};
use walrus::ValType;
use wasmparser::{Parser, Payload};

/// Reads the kernels of a crate's module, sorted by id; `path` names it in errors.
///
/// # Errors
/// The module declares no kernel, or declares them in a way that this build cannot use.
pub fn read<'a>(path: &Path, wasm: &'a [u8]) -> Result<Vec<Entry<'a>>, RawError> {
    let path = || path.to_path_buf();
    let mut sections = Vec::new();
    let mut exported = BTreeSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let invalid =
            |error: wasmparser::BinaryReaderError| RawError::Invalid { path: path(), reason: error.to_string() };
        match payload.map_err(invalid)? {
            Payload::CustomSection(custom) if custom.name() == section::NAME => sections.push(custom.data()),
            Payload::ExportSection(exports) => {
                for export in exports {
                    exported.insert(export.map_err(invalid)?.name);
                }
            }
            _ => {}
        }
    }
    exported.retain(|export| export.starts_with(exports::RAW_PREFIX));

    let mut entries = Vec::new();
    for content in sections {
        entries.extend(section::decode(content).map_err(|reason| RawError::Section { path: path(), reason })?);
    }
    if entries.is_empty() {
        return Err(if exported.is_empty() {
            RawError::NoKernel { path: path() }
        } else {
            RawError::Stripped { path: path() }
        });
    }
    entries.sort_by(|a, b| a.spec.id.cmp(&b.spec.id));
    for pair in entries.windows(2) {
        if pair[0].spec.id == pair[1].spec.id {
            let [first, second] = [0, 1].map(|at: usize| pair[at].writer.clone());
            return Err(RawError::DuplicateKernel { path: path(), id: pair[0].spec.id.clone(), first, second });
        }
    }
    for entry in &entries {
        let spec = &entry.spec;
        for function in functions(spec) {
            exported.remove(export_name(function.short, &spec.id).as_str());
        }
    }
    match exported.first() {
        None => Ok(entries),
        Some(export) => Err(RawError::Undescribed { path: path(), export: (*export).into() }),
    }
}

/// A function that a kernel exports.
pub(crate) struct Function {
    /// Its name in a crate's module, between the prefix and the kernel's id.
    pub(crate) short: &'static str,
    /// Its name in the kernel's own module.
    pub(crate) name: &'static str,
    /// How many `i32` parameters it takes.
    pub(crate) params: usize,
    /// What it returns.
    pub(crate) result: ValType,
    /// Whether a kernel may lack it.
    pub(crate) optional: bool,
}

/// Returns the functions that a kernel with this spec exports, or may export.
pub(crate) fn functions(spec: &KernelSpecBuf) -> impl Iterator<Item = Function> {
    [
        (true, "forward", exports::FORWARD, 1),
        (true, "batch", exports::FORWARD_BATCH, 2),
        (spec.backward.is_some(), "backward", exports::BACKWARD, 1),
        (spec.lifecycle.init, "init", exports::INIT, 2),
        (spec.lifecycle.cleanup, "cleanup", exports::CLEANUP, 0),
        (true, "info", exports::INFO, 1),
    ]
    .into_iter()
    .filter(|(declared, ..)| *declared)
    .map(|(_, short, name, params)| {
        let is_batch = name == exports::FORWARD_BATCH;
        let result = if is_batch { ValType::I64 } else { ValType::I32 };
        Function { short, name, params, result, optional: is_batch }
    })
}

/// Returns the name of an export of a kernel in the module of its crate.
pub(crate) fn export_name(short: &str, id: &str) -> String {
    format!("{}{short}_{id}", exports::RAW_PREFIX)
}

/// The reason why the module of a crate is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RawError {
    /// The bytes are not a module.
    #[error("{} is not a WebAssembly module: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The parser's message.
        reason: String,
    },
    /// Nothing in the crate is a kernel.
    #[error("{} declares no kernel: annotate a function with #[kernel]", path.display())]
    NoKernel {
        /// The file.
        path: PathBuf,
    },
    /// The crate has kernels, but a tool removed their descriptions.
    #[error("{} has kernels, but its kernelpack.spec section was stripped: keep custom sections", path.display())]
    Stripped {
        /// The file.
        path: PathBuf,
    },
    /// The section does not follow the schema, or has a version that this build does not know.
    #[error("the kernelpack.spec section of {} is refused: {reason}", path.display())]
    Section {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: SectionError,
    },
    /// Two kernels have the same id.
    #[error(
        "{} declares the kernel \"{id}\" twice, in \"{first}\" and in \"{second}\": rename one of the functions",
        path.display()
    )]
    DuplicateKernel {
        /// The file.
        path: PathBuf,
        /// The id.
        id: String,
        /// The crate that wrote one of them.
        first: String,
        /// The crate that wrote the other.
        second: String,
    },
    /// An export looks like a kernel's, but no spec declares it.
    #[error(
        "{} exports \"{export}\", which no kernel of its kernelpack.spec section declares: names that start with \
         \"{}\" are reserved for #[kernel]",
        path.display(),
        exports::RAW_PREFIX
    )]
    Undescribed {
        /// The file.
        path: PathBuf,
        /// The export.
        export: String,
    },
}
