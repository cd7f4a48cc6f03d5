//! The program that runs the kernels' functions on this machine.
//!
//! Cargo compiles the crate in its own workspace, with its own lock file and features, as for WebAssembly. Cargo then
//! compiles a `main` in a package without dependencies and links it to the result, with the linker, flags and other
//! configuration of the crate's folder. A package that depends on the crate would need its own lock file and patches,
//! and might use other sources. Each call runs in its own process, since a function may panic, crash or never end.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use cargo_metadata::{Message, PackageId};
use kernelpack_abi::{KernelSpecBuf, Status};
use kernelpack_manifest::{HealthVector, MAX_HEALTH_BYTES, NamedTensor};
use kernelpack_wamr_driver::process::{last_words, wait};
use tempfile::TempDir;

use super::{call, inputs};
use crate::{
    compile::{Features, cargo_rustc, pin_profile, pin_settings, run},
    diagnostics::Diagnostics,
    error::BuildError,
    event::Event,
    no_answer::NoAnswer,
    project::Project,
    toolchain::{self, Toolchain},
};

/// The program's source; naming the crate links it.
const MAIN: &str = "use kernels as _;
fn main() -> std::process::ExitCode {
    kernelpack_guest::__private::reference_main()
}
";

/// The program's package, which is not part of a workspace.
const MANIFEST: &str = r#"[package]
name = "reference"
version = "0.0.0"
edition = "2021"
publish = false

[[bin]]
name = "reference"
path = "main.rs"

[workspace]
"#;

/// Flags for every crate of the program: those of the sandbox's modules that affect results, and no CPU features beyond
/// the target's baseline. Optimizing across crates would gain nothing.
const FLAGS: [&str; 5] =
    ["-Copt-level=3", "-Cdebuginfo=0", "-Coverflow-checks=off", "-Cdebug-assertions=off", "-Cembed-bitcode=no"];

/// A program with the functions of a crate's kernels.
#[derive(Debug)]
pub(super) struct Program {
    /// The program's package and the files of its calls.
    folder: TempDir,
    /// The program.
    pub(super) path: PathBuf,
    time_limit: Duration,
}

impl Program {
    /// Compiles the crate for this machine and links the program.
    pub(super) fn link(
        project: &Project,
        features: &Features,
        time_limit: Duration,
        diagnostics: &mut Diagnostics,
        progress: &mut dyn FnMut(Event),
    ) -> Result<Self, BuildError> {
        let no_reference = |reason: String| BuildError::NoReference { package: project.package.clone(), reason };
        let host = Toolchain::find(project.folder())?.host;
        progress(Event::CompilingReference { package: project.package.clone() });
        let mut command = cargo_rustc(project, features, "rlib", &host, "");
        pin_settings(&mut command, &FLAGS, &[]);
        // Panics must unwind, so that they are reported. LTO is off, since nothing is linked yet.
        command.env("CARGO_PROFILE_RELEASE_PANIC", "unwind").env("CARGO_PROFILE_RELEASE_LTO", "off");
        let id = project.id.clone();
        let read = move |artifacts: &mut Artifacts, message| artifacts.read(message, &id);
        let artifacts = run(command, project, diagnostics, progress, read).map_err(|error| match error {
            BuildError::Compile { .. } => no_reference(
                "the crate does not compile for it, see the messages above; if the crate only works in WebAssembly, \
                 build it with --no-health"
                    .into(),
            ),
            error => error,
        })?;
        let (Some(library), [guest]) = (&artifacts.library, artifacts.guests.as_slice()) else {
            let guests = artifacts.guests.len();
            return Err(no_reference(format!(
                "cargo lists {guests} builds of kernelpack-guest, but exactly one is needed: make all crates depend on the \
                 same version (see `cargo tree --invert kernelpack-guest`)"
            )));
        };

        // The folder is next to cargo's output, since the file system of temporary files may be mounted `noexec`.
        let parent = project.target.join("kernelpack");
        let failed = |error| BuildError::io("write to", &parent, error);
        let folder = tempfile::Builder::new().prefix("health-").tempdir_in(&parent).map_err(failed)?;
        fs::write(folder.path().join("Cargo.toml"), MANIFEST).map_err(failed)?;
        fs::write(folder.path().join("main.rs"), MAIN).map_err(failed)?;
        let mut command = artifacts.cargo_link(project, library, guest, &host, folder.path());
        let output = command.output().map_err(|error| BuildError::io("run cargo for", folder.path(), error))?;
        let path = output.status.success().then(|| executable(&output.stdout)).flatten();
        let path = path.ok_or_else(|| BuildError::Unlinked {
            package: project.package.clone(),
            host,
            reason: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })?;
        Ok(Self { folder, path, time_limit })
    }

    /// Returns the results of the kernel's function for the call of a vector.
    ///
    /// # Errors
    /// The process cannot be started. The inner result is that of the function itself.
    pub(super) fn answer(
        &self,
        kernel: &KernelSpecBuf,
        vector: &HealthVector,
    ) -> Result<Result<Vec<NamedTensor>, NoAnswer>, BuildError> {
        if kernel.lifecycle.init {
            return Ok(Err(NoAnswer::NeedsInit));
        }
        let Some(call) = kernel.forward.with(|signature| call::encode(vector, signature)) else {
            return Ok(Err(NoAnswer::TooLarge { limit: MAX_HEALTH_BYTES }));
        };
        let (ended, mut answers) = self.run(kernel, &[call])?;
        let (Ok(()), Some(answer)) = (&ended, answers.pop().flatten()) else {
            let unwritten = || NoAnswer::Crashed { status: "exit status: 0".into(), message: String::new() };
            return Ok(Err(ended.err().unwrap_or_else(unwritten)));
        };
        Ok(match answer.split_first() {
            None => Err(NoAnswer::Unregistered),
            Some((0, tensors)) => call::decode(vector, tensors).ok_or_else(|| NoAnswer::Refused {
                status: Status::InvalidOutput,
                message: "its tensors have the wrong sizes".into(),
            }),
            Some((code, message)) => Err(NoAnswer::Refused {
                status: Status::from_code(i32::from(*code)).unwrap_or(Status::InternalError),
                message: String::from_utf8_lossy(message).into_owned(),
            }),
        })
    }

    /// Returns whether the kernel's function still returns these results for the call of a vector after other calls:
    /// the same one, one with other tensors, and one with other scalars. Other calls that are refused or end the
    /// process prove nothing.
    ///
    /// # Errors
    /// The process cannot be started.
    pub(super) fn is_steady(
        &self,
        kernel: &KernelSpecBuf,
        vector: &HealthVector,
        results: &[NamedTensor],
    ) -> Result<bool, BuildError> {
        let call = |vector: &HealthVector| kernel.forward.with(|signature| call::encode(vector, signature));
        let Some(asked) = call(vector) else { return Ok(true) };
        let expected = call::answer(results);
        for before in inputs::others(&kernel.forward).map(|other| call(&other)).chain([Some(asked.clone())]) {
            let Some(before) = before else { continue };
            let (_, answers) = self.run(kernel, &[before, asked.clone(), asked.clone()])?;
            if answers.into_iter().skip(1).flatten().any(|answer| answer != expected) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes these calls in one process, one after the other, and returns how the process ended and its answers.
    #[expect(clippy::type_complexity, reason = "the end of a process, and bytes")]
    fn run(
        &self,
        kernel: &KernelSpecBuf,
        calls: &[Vec<u8>],
    ) -> Result<(Result<(), NoAnswer>, Vec<Option<Vec<u8>>>), BuildError> {
        let failed = |error| BuildError::io("run the functions in", self.folder.path(), error);
        let file = |name: &str, at: usize| self.folder.path().join(format!("{name}-{at}"));
        let mut command = Command::new(&self.path);
        command.arg(&kernel.id);
        for (at, call) in calls.iter().enumerate() {
            let (asked, answered) = (file("call", at), file("answer", at));
            fs::write(&asked, call).map_err(failed)?;
            if let Err(error) = fs::remove_file(&answered)
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(failed(error));
            }
            command.args([asked, answered]);
        }
        let mut child = command
            .current_dir(self.folder.path())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            // Discards what the function itself prints.
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let said = child.stderr.take().map(|stderr| thread::spawn(move || last_words(stderr)));
        let ended = match wait(&mut child, self.time_limit).map_err(failed)? {
            None => Err(NoAnswer::TimedOut { limit: self.time_limit }),
            Some(status) if status.success() => Ok(()),
            Some(status) => {
                let message = said.and_then(|thread| thread.join().ok()).unwrap_or_default();
                Err(NoAnswer::Crashed { status: status.to_string(), message })
            }
        };
        let answers = (0..calls.len()).map(|at| match fs::read(file("answer", at)) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        });
        Ok((ended, answers.collect::<Result<_, _>>()?))
    }
}

/// The inputs for linking a program, from the artifacts that cargo lists.
#[derive(Debug, Default)]
struct Artifacts {
    library: Option<PathBuf>,
    guests: Vec<PathBuf>,
    /// The folders of these artifacts and of their dependencies; procedural macros are in other folders.
    folders: BTreeSet<PathBuf>,
    native_paths: Vec<String>,
}

impl Artifacts {
    /// Returns the cargo command that links the package in `folder` to these artifacts.
    fn cargo_link(&self, project: &Project, library: &Path, guest: &Path, host: &str, folder: &Path) -> Command {
        let option = |name: &str, path: &Path| {
            let mut option = OsString::from(name);
            option.push("=");
            option.push(path);
            option
        };
        let mut command = Command::new(toolchain::cargo());
        command
            // The package has no dependencies, so nothing needs to be downloaded, and no lock file can be out of date.
            .args([
                "rustc",
                "--release",
                "--offline",
                "--bin",
                "reference",
                "--message-format",
                "json-render-diagnostics",
            ])
            .args(["--target", host, "--manifest-path"])
            .arg(folder.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(folder.join("target"))
            // This is the folder from which cargo looks for its configuration, and rustup for the toolchain.
            .current_dir(project.folder())
            .stdin(Stdio::null());
        // The program is not the author's code, so lints that the author denies must not fail its build.
        command.args(["--", "--cap-lints=allow"]);
        command.arg("--extern").arg(option("kernels", library));
        command.arg("--extern").arg(option("kernelpack_guest", guest));
        for folder in &self.folders {
            command.arg("-L").arg(option("dependency", folder));
        }
        for path in &self.native_paths {
            command.arg("-L").arg(path);
        }
        pin_profile(&mut command);
        command.env("CARGO_PROFILE_RELEASE_PANIC", "unwind").env("CARGO_PROFILE_RELEASE_LTO", "off");
        command
    }

    fn read(&mut self, message: Message, package: &PackageId) {
        match message {
            Message::CompilerArtifact(artifact) => {
                let folders = artifact.filenames.iter().filter_map(|file| file.parent());
                self.folders.extend(folders.map(|folder| folder.as_std_path().to_owned()));
                let library = artifact.filenames.iter().find(|file| file.extension() == Some("rlib"));
                let Some(library) = library.map(|file| file.clone().into_std_path_buf()) else { return };
                if artifact.target.name == "kernelpack_guest" {
                    self.guests.push(library);
                } else if artifact.package_id == *package {
                    self.library = Some(library);
                }
            }
            Message::BuildScriptExecuted(script) => {
                self.native_paths.extend(script.linked_paths.iter().map(ToString::to_string));
            }
            _ => {}
        }
    }
}

/// Returns the path of the program among the artifacts that cargo lists.
fn executable(stdout: &[u8]) -> Option<PathBuf> {
    Message::parse_stream(stdout).find_map(|message| match message {
        Ok(Message::CompilerArtifact(artifact)) => artifact.executable.map(Into::into),
        _ => None,
    })
}
