//! Shared parts of the tests: running the program, and one pack of the core kernels that it builds once.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use tempfile::TempDir;

/// The result of a run of the program.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Returns the single message of a failure other than wrong usage.
    #[track_caller]
    pub(crate) fn error(&self) -> &str {
        assert_eq!(self.code, 1, "{self:?}");
        let lines: Vec<_> = self.stderr.lines().collect();
        match lines[..] {
            [line] => line.strip_prefix("error: ").unwrap_or_else(|| panic!("{self:?}")),
            _ => panic!("not one line: {self:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("the program ends by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Returns the program, not yet started.
pub(crate) fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_kernelpack"));
    // The tests share a cache of their own.
    program.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    program
}

/// Runs the program in a folder; words are separated by single spaces.
pub(crate) fn run_in(folder: &Path, line: &str) -> Ran {
    run_words(folder, &line.split(' ').collect::<Vec<_>>())
}

/// Runs the program in a folder, with words that may contain spaces.
pub(crate) fn run_words(folder: &Path, words: &[&str]) -> Ran {
    program().args(words).current_dir(folder).output().unwrap().into()
}

/// Returns a folder with `release.key`, `release.pub`, `other.pub` and the pack `pack`, built once.
pub(crate) fn built() -> &'static Path {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        run_in(folder.path(), "keygen release").succeeded();
        run_in(folder.path(), "keygen other").succeeded();
        let built: Ran = program()
            .args(["build", concat!(env!("CARGO_MANIFEST_DIR"), "/../kernels")])
            .args(["--out", "pack", "--key", "release.key"])
            .current_dir(folder.path())
            .output()
            .unwrap()
            .into();
        assert!(built.succeeded().stdout.starts_with("sha256:"));
        folder
    });
    folder.path()
}

/// Returns a copy of [`built`] that a test may change.
pub(crate) fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(built(), copy.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Changes one bit in the middle of a file.
pub(crate) fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Returns the golden files of a kernel.
pub(crate) fn golden(kernel: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{kernel}-")));
    files.sort();
    assert!(!files.is_empty(), "{kernel}");
    files
}
