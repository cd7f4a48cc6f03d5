//! The reasons why a crate cannot be built into a pack.

use std::{io, path::PathBuf};

use kernelpack_manifest::{Mismatch, Rejected, VectorFault};

use crate::{no_answer::NoAnswer, passes::PassError, raw::RawError};

/// The reason why a build failed. A pack that was there before is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The folder given has no `Cargo.toml`.
    #[error("{} has no Cargo.toml: give the folder of a crate", crate_dir.display())]
    NoManifest {
        /// The folder given.
        crate_dir: PathBuf,
    },
    /// Cargo cannot read the crate or its dependencies.
    #[error("cargo cannot read {}: {reason}", manifest.display())]
    Metadata {
        /// The crate's `Cargo.toml`.
        manifest: PathBuf,
        /// Cargo's message.
        reason: String,
    },
    /// The workspace's `Cargo.lock` does not match its `Cargo.toml`, and a build does not update it.
    #[error(
        "{} is out of date: run `cargo update --workspace` (or `cargo build`) there and commit it",
        lock_file.display()
    )]
    StaleLockFile {
        /// The file.
        lock_file: PathBuf,
    },
    /// The folder given is a workspace's and holds no package of its own.
    #[error(
        "{} is a workspace without a package of its own: give the folder of a member, or name one of its packages: {}",
        workspace.display(),
        members.join(", ")
    )]
    VirtualWorkspace {
        /// The workspace.
        workspace: PathBuf,
        /// The packages in it.
        members: Vec<String>,
    },
    /// The workspace has no package of the name given.
    #[error(
        "the workspace {} has no package \"{package}\": it has {}",
        workspace.display(),
        members.join(", ")
    )]
    NoPackage {
        /// The name given.
        package: String,
        /// The workspace.
        workspace: PathBuf,
        /// The packages in it.
        members: Vec<String>,
    },
    /// The package has no library, which must contain the kernels.
    #[error(
        "the package \"{package}\" ({}) has no library: move its kernels to src/lib.rs",
        manifest.display()
    )]
    NoLibrary {
        /// The package.
        package: String,
        /// Its `Cargo.toml`.
        manifest: PathBuf,
    },
    /// `[package.metadata.kernelpack]` has an unknown key or a wrong value.
    #[error("[package.metadata.kernelpack] of {}, at {key}: {reason}", manifest.display())]
    Overrides {
        /// The package's `Cargo.toml`.
        manifest: PathBuf,
        /// The key.
        key: String,
        /// The fault in it.
        reason: String,
    },
    /// The compiler cannot report its version and folders.
    #[error("`{command}` failed: {reason}")]
    Toolchain {
        /// The command.
        command: String,
        /// The compiler's message.
        reason: String,
    },
    /// The standard library for WebAssembly is not installed.
    #[error(
        "the target wasm32-unknown-unknown is not installed{}: run `rustup target add {}wasm32-unknown-unknown`{}",
        .toolchain.as_ref().map_or(String::new(), |name| format!(" in the toolchain {name} of {}", folder.display())),
        .toolchain.as_ref().map_or(String::new(), |name| format!("--toolchain {name} ")),
        if .toolchain.is_some() { "" } else { ", or install it the way this compiler was installed" }
    )]
    NoTarget {
        /// The crate.
        folder: PathBuf,
        /// Rustup's name for the toolchain that it uses there, if known.
        toolchain: Option<String>,
    },
    /// The crate does not compile; the compiler's messages came as [`Event::Cargo`](crate::Event::Cargo).
    #[error(
        "cargo could not compile \"{package}\" ({}): see its messages above",
        code.map_or("ended by a signal".into(), |code| format!("exit code {code}"))
    )]
    Compile {
        /// The package.
        package: String,
        /// Cargo's exit code; `None` if a signal ended it.
        code: Option<i32>,
    },
    /// The crate compiles with SIMD, but not without.
    #[error(
        "cargo could not compile \"{package}\" without SIMD ({}): see its messages above; put code that needs SIMD behind \
         #[cfg(target_feature = \"simd128\")], or pass --no-scalar to build a pack for engines with SIMD only",
        code.map_or("ended by a signal".into(), |code| format!("exit code {code}"))
    )]
    CompileScalar {
        /// The package.
        package: String,
        /// Cargo's exit code; `None` if a signal ended it.
        code: Option<i32>,
    },
    /// Cargo succeeded, but listed no module.
    #[error(
        "cargo compiled \"{package}\" but listed no .wasm file: a wrapper around rustc or cargo may have hidden it"
    )]
    NoModule {
        /// The package.
        package: String,
    },
    /// The crate's module declares no kernels, or declares them in a form that this version cannot read.
    #[error(transparent)]
    Raw(#[from] RawError),
    /// A pass refused the module.
    #[error("the module of kernel \"{kernel}\" is refused: {fault}")]
    Pass {
        /// The kernel's id.
        kernel: String,
        /// The reason.
        fault: PassError,
    },
    /// The program that runs the kernels' functions, to compute what health vectors expect, could not be built.
    #[error("the functions of \"{package}\" cannot be run on this machine to make health vectors: {reason}")]
    NoReference {
        /// The package.
        package: String,
        /// The reason, and what to do about it.
        reason: String,
    },
    /// Cargo cannot link the program for health vectors, though the crate compiles.
    #[error(
        "the functions of \"{package}\" cannot be run on this machine to make health vectors: cargo cannot link a \
         program for {host}. Install the linker that it asks for, or set `linker` under [target.{host}] in \
         .cargo/config.toml to one that works, as for any program on this machine. Cargo says:\n{reason}"
    )]
    Unlinked {
        /// The package.
        package: String,
        /// The target of this machine.
        host: String,
        /// Cargo's message.
        reason: String,
    },
    /// An author's health vector is not named after one of the kernels.
    #[error(
        "{} is not named after a kernel of the crate: call it KERNEL.safetensors or KERNEL-ANYTHING.safetensors, with \
         letters, digits, '_', '.' and '-' only; the kernels are {}",
        path.display(),
        kernels.join(", ")
    )]
    StrayVector {
        /// The author's file.
        path: PathBuf,
        /// The kernels' ids.
        kernels: Vec<String>,
    },
    /// The metadata of an author's health vector have an unknown key or a wrong value.
    #[error("{}, metadata {key:?}: {reason}", path.display())]
    VectorMetadata {
        /// The author's file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The fault in it.
        reason: String,
    },
    /// An author's health vector is not a call of its kernel.
    #[error("{} is not a health vector of \"{kernel}\": {fault}", path.display())]
    Vector {
        /// The author's file.
        path: PathBuf,
        /// The kernel's id.
        kernel: String,
        /// The fault.
        fault: VectorFault,
    },
    /// The kernel's function returns something other than an author's health vector expects.
    #[error(
        "{} disagrees with what the function of \"{kernel}\" returns: {mismatch}; correct one of the two{}",
        path.display(),
        or_raise(*.tolerance, *.tolerable)
    )]
    WrongVector {
        /// The author's file.
        path: PathBuf,
        /// The kernel's id.
        kernel: String,
        /// The first element that differs.
        mismatch: Mismatch,
        /// The vector's tolerance.
        tolerance: f64,
        /// Whether some tolerance allows the function's result. None does if all expected values are zero, or if
        /// elements differ to which no tolerance applies.
        tolerable: bool,
    },
    /// The kernel's function returns no results for an author's health vector.
    #[error("{} is not a call that \"{kernel}\" accepts: its function {fault}", path.display())]
    Unanswered {
        /// The author's file.
        path: PathBuf,
        /// The kernel's id.
        kernel: String,
        /// What happened.
        fault: NoAnswer,
    },
    /// A finished module or the manifest fails a check of hosts, so no host would load the pack.
    #[error("the pack would be refused: {0}")]
    Rejected(Box<Rejected>),
    /// The manifest's bytes read back as something else, which is a bug in kernelpack.
    #[error("the manifest does not read back as it was written: this is a bug in kernelpack, please report it")]
    Unfaithful,
    /// `SOURCE_DATE_EPOCH` is not a valid date.
    #[error("SOURCE_DATE_EPOCH is \"{value}\": give whole seconds since 1970, at most 253402300799, or unset it")]
    SourceDateEpoch {
        /// Its value.
        value: String,
    },
    /// The place for the pack holds something other than a pack.
    #[error("{} is not a pack ({reason}); nothing was changed: remove it or choose another place", pack.display())]
    NotAPack {
        /// The place.
        pack: PathBuf,
        /// The reason why it is not a pack.
        reason: String,
    },
    /// A file or a program cannot be used.
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The path of the file or program.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}

impl BuildError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, error: io::Error) -> Self {
        Self::Io { action, path: path.into(), error }
    }

    pub(crate) fn rejected(fault: Rejected) -> Self {
        Self::Rejected(Box::new(fault))
    }
}

/// Returns the advice to raise a tolerance, if that can help.
fn or_raise(tolerance: f64, tolerable: bool) -> String {
    if tolerable { format!(", or raise the tolerance, which is {tolerance:?}") } else { String::new() }
}
