//! The compiler on this machine: what builds the crate, and which of its paths must not reach the bytes.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::BuildError;

/// The one target that kernels are built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// What `rustc` tells about itself.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    sysroot: PathBuf,
    commit: String,
    /// The target of this machine.
    pub(crate) host: String,
}

impl Toolchain {
    /// Asks the compiler that cargo would use in this folder.
    pub(crate) fn find(folder: &Path) -> Result<Self, BuildError> {
        let printed = rustc(folder, &["--print", "sysroot", "--print", "target-libdir", "--target", TARGET])?;
        Self::read(&printed, &rustc(folder, &["-vV"])?).ok_or_else(|| BuildError::NoTarget {
            folder: folder.into(),
            toolchain: active_toolchain("rustup".as_ref(), folder),
        })
    }

    /// Reads the two lines of `--print` and those of `-vV`; none if the target's library is not there.
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

    /// The folders of this machine that the compiler may write into a module, and the names to write instead; of two
    /// that match a path, the later counts.
    pub(crate) fn remaps(&self) -> Vec<(PathBuf, String)> {
        let mut remaps = Vec::new();
        if let Some(home) = cargo_home() {
            if let Ok(real) = home.canonicalize() {
                remaps.push((real, "/cargo".into()));
            }
            remaps.push((home, "/cargo".into()));
        }
        remaps.push((self.sysroot.clone(), "/rust".into()));
        // What the standard library is called where its sources are not installed.
        remaps.push((self.sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{}", self.commit)));
        remaps
    }
}

/// The cargo that runs this process, or the one on the path.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn cargo_home() -> Option<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(home) if !home.is_empty() => std::path::absolute(home).ok(),
        _ => env::home_dir().map(|home| home.join(".cargo")),
    }
}

/// The compiler that cargo uses.
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

/// What rustup calls the toolchain that it uses in a folder, by a `rust-toolchain.toml` there or otherwise.
fn active_toolchain(rustup: &OsStr, folder: &Path) -> Option<String> {
    let output = Command::new(rustup).args(["show", "active-toolchain"]).current_dir(folder).output().ok()?;
    // The name comes first, and why it is active behind it.
    let said = output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()?;
    said.split_whitespace().next().map(str::to_owned)
}

fn display(program: &OsStr, args: &[&str]) -> String {
    format!("{} {}", program.display(), args.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_target_comes_with_the_command_that_installs_it() {
        assert!(Toolchain::read("/nowhere\n/nowhere/lib\n", "").is_none());
        let said = |toolchain: Option<&str>| {
            let toolchain = toolchain.map(str::to_owned);
            BuildError::NoTarget { folder: "/crate".into(), toolchain }.to_string()
        };
        assert_eq!(
            said(Some("1.95.0-x86_64-unknown-linux-gnu")),
            "the target wasm32-unknown-unknown is not installed in the toolchain 1.95.0-x86_64-unknown-linux-gnu of /crate: \
             run `rustup target add --toolchain 1.95.0-x86_64-unknown-linux-gnu wasm32-unknown-unknown`"
        );
        assert_eq!(
            said(None),
            "the target wasm32-unknown-unknown is not installed: run `rustup target add wasm32-unknown-unknown`, or install \
             it in whatever way this compiler was installed"
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_toolchain_is_the_one_of_the_crates_folder() {
        use std::fs;

        let dir = tempfile::tempdir().unwrap();
        let (rustup, folder) = (dir.path().join("rustup"), dir.path().join("crate"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("rust-toolchain"), "1.95.0-host\n").unwrap();
        let script = |content: &str| {
            // By another process, since a program cannot run that a thread here, or its child, has open to write.
            let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\"";
            assert!(Command::new("sh").arg("-c").arg(write).arg(&rustup).arg(content).status().unwrap().success());
            active_toolchain(rustup.as_os_str(), &folder)
        };
        let name = script("echo \"$(cat rust-toolchain) (overridden by '$PWD/rust-toolchain')\"; echo \"$@\" > args");
        assert_eq!(name.as_deref(), Some("1.95.0-host"));
        assert_eq!(fs::read_to_string(folder.join("args")).unwrap(), "show active-toolchain\n");
        assert_eq!(script("echo broken; exit 1"), None);
        assert_eq!(script("exit 0"), None);
        assert_eq!(active_toolchain(folder.as_os_str(), &folder), None);
    }

    #[test]
    fn the_standard_library_has_one_name_with_and_without_its_sources() {
        let here = env!("CARGO_MANIFEST_DIR");
        let toolchain = Toolchain::read(&format!("/sys\n{here}\n"), "rustc 1\ncommit-hash: abc\nhost: h\n").unwrap();
        let remaps = toolchain.remaps();
        assert!(
            remaps.ends_with(&[
                ("/sys".into(), "/rust".into()),
                ("/sys/lib/rustlib/src/rust".into(), "/rustc/abc".into()),
            ])
        );
    }
}
