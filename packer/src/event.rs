//! What a build tells while it runs.

use std::{fmt, path::PathBuf};

use semver::Version;

/// A step of a build; the library itself prints nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Cargo compiles the crate.
    Compiling {
        /// The package.
        package: String,
        /// Its version.
        version: Version,
    },
    /// Cargo or the compiler wrote a line to standard error; the author wants to see it.
    Cargo {
        /// The line, without its end.
        line: String,
    },
    /// A kernel's module is made.
    Packing {
        /// The kernel's id.
        kernel: String,
        /// Bytes of the module.
        size: usize,
    },
    /// Something the author should know, which does not stop the build.
    Warning(Warning),
    /// The manifest is signed.
    Signed {
        /// The id of the public key.
        key: String,
    },
    /// The pack is in its place.
    Written {
        /// The folder of the pack.
        pack: PathBuf,
    },
}

/// Why a build may not give the same pack elsewhere or later.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// There is no `Cargo.lock`, so each build picks its own dependencies.
    NoLockFile {
        /// The workspace that has none.
        workspace: PathBuf,
    },
    /// Neither `SOURCE_DATE_EPOCH` nor a commit tells when the sources were made.
    NoDate {
        /// The crate.
        crate_dir: PathBuf,
    },
    /// A module contains a path of the machine that built it.
    MachinePath {
        /// The kernel's id.
        kernel: String,
        /// The path.
        path: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLockFile { workspace } => write!(
                f,
                "{} has no Cargo.lock: two builds may use different dependencies; commit the one that this build writes",
                workspace.display()
            ),
            Self::NoDate { crate_dir } => write!(
                f,
                "{} is in no git commit and SOURCE_DATE_EPOCH is not set: created_at is 1970-01-01T00:00:00Z",
                crate_dir.display()
            ),
            Self::MachinePath { kernel, path } => write!(
                f,
                "the module of \"{kernel}\" contains \"{path}\", a path of this machine: other machines will build other \
                 bytes; do not embed env!(\"CARGO_MANIFEST_DIR\") or the like"
            ),
        }
    }
}
