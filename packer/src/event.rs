//! The events that a build reports while it runs.

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
    /// Cargo compiles the crate again, for engines without SIMD.
    CompilingScalar {
        /// The package.
        package: String,
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
        /// The file inside the pack.
        path: String,
        /// The size of the module in bytes.
        size: usize,
    },
    /// Cargo compiles the crate for this machine, to learn what its kernels compute.
    CompilingReference {
        /// The package.
        package: String,
    },
    /// A kernel has a health vector.
    Vector {
        /// The kernel's id.
        kernel: String,
        /// The file inside the pack.
        path: String,
        /// Its size in bytes.
        size: usize,
    },
    /// Something the author should know, which does not stop the build.
    Warning(Warning),
    /// The manifest is signed.
    Signed {
        /// The id of the public key.
        key: String,
    },
    /// The pack is written.
    Written {
        /// The folder of the pack.
        pack: PathBuf,
    },
}

/// A warning to the author about a pack, such as that it may not be reproducible or that it lacks something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// There is no `Cargo.lock`, so each build picks its own dependencies.
    NoLockFile {
        /// The workspace that has none.
        workspace: PathBuf,
    },
    /// The crate names no author.
    NoAuthor {
        /// The package.
        package: String,
        /// Its `Cargo.toml`.
        manifest: PathBuf,
    },
    /// Neither `SOURCE_DATE_EPOCH` nor a commit dates the sources.
    NoDate {
        /// The crate.
        crate_dir: PathBuf,
        /// Git's message; `None` if the crate is simply not in a commit.
        reason: Option<String>,
    },
    /// The crate is in a git repository that does not track it, whose date would be another project's, and
    /// `SOURCE_DATE_EPOCH` is not set.
    Untracked {
        /// The crate.
        crate_dir: PathBuf,
        /// The checkout that it is in.
        repository: PathBuf,
    },
    /// A kernel is declared only in the build with SIMD.
    NoScalar {
        /// The kernel's id.
        kernel: String,
    },
    /// A kernel uses SIMD even in the build without it, so its module for engines without SIMD is left out.
    SimdInScalar {
        /// The kernel's id.
        kernel: String,
        /// A function of the crate that uses SIMD, if one has a name.
        function: Option<String>,
    },
    /// A module contains a path of the machine that built it.
    MachinePath {
        /// The kernel's id.
        kernel: String,
        /// The path.
        path: String,
    },
    /// A health vector could not be made.
    NoVector {
        /// The kernel's id.
        kernel: String,
        /// The path that it would have had inside the pack.
        path: String,
        /// The reason why the kernel's function returned no result.
        reason: String,
    },
    /// An author's health vector could not be compared with what the kernel's function returns.
    UncheckedVector {
        /// The kernel's id.
        kernel: String,
        /// The author's file.
        path: PathBuf,
        /// The reason why the kernel's function returned no result.
        reason: String,
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
            Self::NoAuthor { package, manifest } => write!(
                f,
                "the package \"{package}\" names no author, so the pack says \"unknown\": set authors = \
                 [\"Name <mail>\"] under [package] in {}",
                manifest.display()
            ),
            Self::NoDate { crate_dir, reason: None } => write!(
                f,
                "{} is not in a git commit and SOURCE_DATE_EPOCH is not set, so created_at is 1970-01-01T00:00:00Z",
                crate_dir.display()
            ),
            Self::NoDate { crate_dir, reason: Some(reason) } => write!(
                f,
                "git cannot tell when {} was committed and SOURCE_DATE_EPOCH is not set, so created_at is \
                 1970-01-01T00:00:00Z; git says: {reason}",
                crate_dir.display()
            ),
            Self::Untracked { crate_dir, repository } => write!(
                f,
                "{} is in no git commit (the repository at {} does not track its Cargo.toml) and SOURCE_DATE_EPOCH is not \
                 set: created_at is 1970-01-01T00:00:00Z",
                crate_dir.display(),
                repository.display()
            ),
            Self::NoScalar { kernel } => write!(
                f,
                "the crate does not declare \"{kernel}\" when it is compiled without SIMD, so engines without SIMD will \
                 refuse the pack; declare it in both builds"
            ),
            Self::SimdInScalar { kernel, function } => {
                let place = function.as_ref().map_or(String::new(), |name| format!(", for example in \"{name}\""));
                write!(
                    f,
                    "\"{kernel}\" uses SIMD even in the build without it{place}, so the pack has no module of it for engines \
                     without SIMD, and they will refuse the pack; a core::arch intrinsic anywhere in the crate turns SIMD \
                     on for the whole crate: put code that uses intrinsics behind \
                     #[cfg(target_feature = \"simd128\")] and other code behind #[cfg(not(target_feature = \
                     \"simd128\"))]"
                )
            }
            Self::MachinePath { kernel, path } => write!(
                f,
                "the module of \"{kernel}\" contains \"{path}\", a path on this machine, so other machines will build \
                 different bytes; do not embed env!(\"CARGO_MANIFEST_DIR\") or the like"
            ),
            Self::NoVector { kernel, path, reason } => write!(
                f,
                "cannot make \"{path}\" for \"{kernel}\": on generated inputs its function {reason}; add a vector of your \
                 own to the crate as \"{path}\", or hosts cannot tell whether the kernel works"
            ),
            Self::UncheckedVector { kernel, path, reason } => write!(
                f,
                "{} is packed unchecked: its results cannot be compared with those of \"{kernel}\", whose function {reason}",
                path.display()
            ),
        }
    }
}
