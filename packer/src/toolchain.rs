//! The compiler on this machine, and which of its paths must not end up in modules.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::BuildError;

/// The only target that kernels are built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// The facts that `rustc` reports about itself.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    sysroot: PathBuf,
    commit: String,
    /// The target of this machine.
    pub(crate) host: String,
}

impl Toolchain {
    /// Queries the compiler that cargo would use in this folder.
    pub(crate) fn find(folder: &Path) -> Result<Self, BuildError> {
        let printed = rustc(folder, &["--print", "sysroot", "--print", "target-libdir", "--target", TARGET])?;
        Self::read(&printed, &rustc(folder, &["-vV"])?).ok_or_else(|| BuildError::NoTarget {
            folder: folder.into(),
            toolchain: active_toolchain("rustup".as_ref(), folder),
        })
    }

    /// Parses the two lines of `--print` and those of `-vV`; `None` if the target's library is missing.
    fn read(printed: &str, version: &str) -> Option<Self> {
        let mut lines = printed.lines();
        let (sysroot, library) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let field = |name| version.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("unknown");
        Path::new(library).is_dir().then(|| Self {
            sysroot: sysroot.into(),
            commit: field("commit-hash: ").into(),
            host: field("host: ").into(),
        })
    }

    /// Returns the folders of this machine that the compiler may write into a module, and their replacements. If two
    /// match a path, the later one wins.
    pub(crate) fn remaps(&self) -> Vec<(PathBuf, String)> {
        let mut remaps = Vec::new();
        if let Some(home) = cargo_home() {
            if let Ok(real) = home.canonicalize() {
                remaps.push((real, "/cargo".into()));
            }
            remaps.push((home, "/cargo".into()));
        }
        remaps.push((self.sysroot.clone(), "/rust".into()));
        // If the standard library's sources are not installed, its paths begin with `/rustc/COMMIT`; if they are, this
        // gives them the same name.
        remaps.push((self.sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{}", self.commit)));
        remaps
    }
}

/// Returns the cargo that runs this process, or the one on the path.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn cargo_home() -> Option<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(home) if !home.is_empty() => std::path::absolute(home).ok(),
        _ => env::home_dir().map(|home| home.join(".cargo")),
    }
}

/// Returns the compiler that cargo uses.
pub(crate) fn rustc_program() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

fn rustc(folder: &Path, args: &[&str]) -> Result<String, BuildError> {
    let program = rustc_program();
    let failed = |reason: String| BuildError::Toolchain { command: display(&program, args), reason };
    let output =
        Command::new(&program).args(args).current_dir(folder).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().into()));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("its output is not UTF-8".into()))
}

/// Returns rustup's name for the toolchain that it uses in a folder, because of a `rust-toolchain.toml` or for another
/// reason.
fn active_toolchain(rustup: &OsStr, folder: &Path) -> Option<String> {
    let output = Command::new(rustup).args(["show", "active-toolchain"]).current_dir(folder).output().ok()?;
    // The name comes first, then the reason why it is active.
    let said = output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()?;
    said.split_whitespace().next().map(str::to_owned)
}

fn display(program: &OsStr, args: &[&str]) -> String {
    format!("{} {}", program.display(), args.join(" "))
}

#[cfg(test)]
mod tests;
