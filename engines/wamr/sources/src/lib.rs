//! Finds the sources of WAMR, for the build scripts that compile them.
//!
//! The sources come from a package on the registry that this crate depends on but never builds, so that cargo
//! downloads, locks and checks them like any other dependency; the project contains no copy of WAMR. `WAMR_SRC_DIR`
//! names other sources.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// The environment variable that names a folder with other sources: the one that contains `core/version.h`.
pub const OVERRIDE: &str = "WAMR_SRC_DIR";

/// The package that contains the sources, and their folder in it.
const PACKAGE: &str = "wamrx-sys";
const FOLDER: &str = "wasm-micro-runtime";

/// The sources of one version of WAMR.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The folder that contains `core/`.
    pub root: PathBuf,
    /// Their version, such as `2.4.3`.
    pub version: String,
}

/// The reason why there are no sources.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Cargo cannot be started.
    #[error("cannot run {}: {error}", cargo.display())]
    Spawn {
        /// The program.
        cargo: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// Cargo cannot find the package.
    #[error(
        "cargo cannot say where the package {PACKAGE} lies: {reason}; run `cargo fetch`, or set {OVERRIDE} to a folder \
         with the sources of WAMR"
    )]
    Metadata {
        /// Its message.
        reason: String,
    },
    /// The folder does not contain WAMR.
    #[error("{} has no readable core/version.h ({error}): set {OVERRIDE} to a folder with the sources of WAMR", root.display())]
    NoSources {
        /// The folder.
        root: PathBuf,
        /// Why the file cannot be read.
        error: io::Error,
    },
    /// The file that should contain the version does not.
    #[error("{} does not say the version of WAMR", path.display())]
    NoVersion {
        /// The file.
        path: PathBuf,
    },
}

/// Returns the sources that [`OVERRIDE`] names, else those of the package.
///
/// # Errors
/// The folder does not contain WAMR's sources, or cargo cannot find or download the package.
pub fn find() -> Result<Sources, Error> {
    println!("cargo::rerun-if-env-changed={OVERRIDE}");
    let root = match env::var_os(OVERRIDE) {
        Some(root) => PathBuf::from(root),
        None => packaged()?,
    };
    let header = root.join("core/version.h");
    println!("cargo::rerun-if-changed={}", header.display());
    let text = fs::read_to_string(&header).map_err(|error| Error::NoSources { root: root.clone(), error })?;
    let version = version_of(&text).ok_or(Error::NoVersion { path: header })?;
    Ok(Sources { root, version })
}

/// Returns the folder of the package that this crate's manifest names.
fn packaged() -> Result<PathBuf, Error> {
    // The package is usually on this disk already, and needs no network then.
    let mut answer = metadata(&["--offline"])?;
    if !answer.status.success() {
        answer = metadata(&[])?;
    }
    if !answer.status.success() {
        return Err(Error::Metadata { reason: String::from_utf8_lossy(&answer.stderr).trim().to_owned() });
    }
    let tree: Value =
        serde_json::from_slice(&answer.stdout).map_err(|error| Error::Metadata { reason: error.to_string() })?;
    folder_in(&tree).ok_or_else(|| Error::Metadata { reason: "it does not know the package".to_owned() })
}

fn metadata(more: &[&str]) -> Result<Output, Error> {
    // Cargo sets this for build scripts.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut command = Command::new(&cargo);
    command.args(["metadata", "--format-version", "1", "--locked", "--manifest-path"]).arg(manifest).args(more);
    command.output().map_err(|error| Error::Spawn { cargo: cargo.into(), error })
}

/// Returns the folder of the sources, from what `cargo metadata` prints.
fn folder_in(tree: &Value) -> Option<PathBuf> {
    let packages = tree.get("packages")?.as_array()?;
    let package = packages.iter().find(|package| package["name"] == PACKAGE)?;
    Some(Path::new(package["manifest_path"].as_str()?).parent()?.join(FOLDER))
}

/// Returns the version, from the text of `core/version.h`.
fn version_of(header: &str) -> Option<String> {
    let number = |name: &str| {
        header.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("#define") && words.next() == Some(name)).then(|| words.next())?
        })
    };
    let [major, minor, patch] = ["WAMR_VERSION_MAJOR", "WAMR_VERSION_MINOR", "WAMR_VERSION_PATCH"].map(number);
    Some(format!("{}.{}.{}", major?, minor?, patch?))
}

#[cfg(test)]
mod tests;
