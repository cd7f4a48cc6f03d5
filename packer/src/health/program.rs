//! The program that runs the kernels' functions on this machine.
//!
//! Cargo compiles the crate in its own workspace, with its own lock file and features, as it does for WebAssembly; then
//! the compiler links a `main` to it. A package of its own around the crate would need a lock file and patches of its
//! own, which could lead to other sources. Each call is a process, since a function may panic, crash or never end.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::{ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use cargo_metadata::{Message, PackageId};
use kernelpack_abi::{KernelSpecBuf, Status};
use kernelpack_manifest::{HealthVector, MAX_HEALTH_BYTES, NamedTensor};
use kernelpack_wamr_driver::process::{last_words, wait};
use tempfile::TempDir;

use super::call;
use crate::{
    BuildError, Event, Features,
    compile::{cargo_rustc, pin_settings, run},
    project::Project,
    toolchain::{self, Toolchain},
};

/// What is linked to the crate; naming the crate is what links it.
const MAIN: &str = "use kernels as _;
fn main() -> std::process::ExitCode {
    kernelpack_guest::__private::reference_main()
}
";

/// Flags for every crate of the program: those of the sandbox as far as they change what is computed, and no feature
/// beyond the target's baseline. Nothing is gained from optimizing across crates.
const FLAGS: [&str; 5] =
    ["-Copt-level=3", "-Cdebuginfo=0", "-Coverflow-checks=off", "-Cdebug-assertions=off", "-Cembed-bitcode=no"];

/// Why a function gave no results.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// No function of this kernel is compiled in: it was not made by `#[kernel]`.
    #[error("is not one that #[kernel] has registered")]
    Unregistered,
    /// The function computes with what `init` made, which is there in an instance only.
    #[error("needs what its init makes in a sandbox")]
    NeedsInit,
    /// The function returned an error.
    #[error("failed with {}{}{message}", .status.name(), if .message.is_empty() { "" } else { ": " })]
    Refused {
        /// The error's status.
        status: Status,
        /// Its message.
        message: String,
    },
    /// The function panicked or crashed.
    #[error("ended its process ({status}){}{message}", if .message.is_empty() { "" } else { ": " })]
    Crashed {
        /// How the process ended.
        status: String,
        /// What it said at last.
        message: String,
    },
    /// The function did not return in time.
    #[error("did not return within {limit:?}")]
    TimedOut {
        /// The time it was given.
        limit: Duration,
    },
    /// Even a small call would be too large for a vector.
    #[error("takes tensors that make a vector larger than {limit} bytes")]
    TooLarge {
        /// The most bytes of a vector.
        limit: usize,
    },
}

/// A program with the functions of a crate's kernels.
#[derive(Debug)]
pub(super) struct Program {
    /// The program and the files of its calls.
    folder: TempDir,
    time_limit: Duration,
}

impl Program {
    /// Compiles the crate for this machine and links the program.
    pub(super) fn link(
        project: &Project,
        features: &Features,
        time_limit: Duration,
        progress: &mut dyn FnMut(Event),
    ) -> Result<Self, BuildError> {
        let no_reference = |reason: String| BuildError::NoReference { package: project.package.clone(), reason };
        let host = Toolchain::find(project.folder())?.host;
        progress(Event::CompilingReference { package: project.package.clone() });
        let mut command = cargo_rustc(project, features, "rlib", &host, "");
        pin_settings(&mut command, &FLAGS, &[]);
        // Panics are to be told, and there is nothing to link yet.
        command.env("CARGO_PROFILE_RELEASE_PANIC", "unwind").env("CARGO_PROFILE_RELEASE_LTO", "off");
        let id = project.id.clone();
        let artifacts = run(command, project, progress, move |stdout| Artifacts::read(stdout, &id)).map_err(
            |error| match error {
                BuildError::Compile { .. } => no_reference("it does not compile for it, see the messages above".into()),
                error => error,
            },
        )?;
        let (Some(library), [guest]) = (&artifacts.library, artifacts.guests.as_slice()) else {
            let guests = artifacts.guests.len();
            return Err(no_reference(format!("cargo names {guests} libraries of kernelpack-guest, one is needed")));
        };

        // Beside what cargo made, since programs may be forbidden to run where temporary files are.
        let parent = project.target.join("kernelpack");
        let failed = |error| BuildError::io("write to", &parent, error);
        let folder = tempfile::Builder::new().prefix("health-").tempdir_in(&parent).map_err(failed)?;
        let main = folder.path().join("main.rs");
        fs::write(&main, MAIN).map_err(failed)?;
        let extern_of = |name: &str, path: &Path| {
            let mut option = std::ffi::OsString::from(name);
            option.push("=");
            option.push(path);
            option
        };
        let mut rustc = Command::new(toolchain::rustc_program());
        rustc.args(["--edition", "2021", "--crate-name", "reference", "-Copt-level=1", "-Cdebuginfo=0"]);
        rustc.args(["--target", &host]);
        rustc.arg("--extern").arg(extern_of("kernels", library));
        rustc.arg("--extern").arg(extern_of("kernelpack_guest", guest));
        for folder in &artifacts.folders {
            rustc.arg("-L").arg(extern_of("dependency", folder));
        }
        for path in &artifacts.native_paths {
            rustc.arg("-L").arg(path);
        }
        // Cargo would have read it too.
        let linker = format!("CARGO_TARGET_{}_LINKER", host.to_uppercase().replace(['-', '.'], "_"));
        if let Some(linker) = env::var_os(linker) {
            let mut option = std::ffi::OsString::from("-Clinker=");
            option.push(linker);
            rustc.arg(option);
        }
        rustc.arg("-o").arg(program(folder.path())).arg(&main).current_dir(project.folder());
        let output = rustc.output().map_err(|error| BuildError::io("run rustc for", &main, error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(no_reference(format!("its program cannot be linked: {}", said.trim())));
        }
        Ok(Self { folder, time_limit })
    }

    /// What the kernel's function gives for the call of a vector.
    ///
    /// # Errors
    /// The process cannot be started; what it does itself is in the inner result.
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
        let (asked, answered) = (self.folder.path().join("call"), self.folder.path().join("answer"));
        let failed = |error| BuildError::io("run the functions in", self.folder.path(), error);
        fs::write(&asked, call).map_err(failed)?;
        if let Err(error) = fs::remove_file(&answered)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(failed(error));
        }
        let mut child = Command::new(program(self.folder.path()))
            .arg(&kernel.id)
            .args([&asked, &answered])
            .current_dir(self.folder.path())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            // A function may print, which is nobody's concern here.
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let said = child.stderr.take().map(|stderr| thread::spawn(move || last_words(stderr)));
        let Some(status) = wait(&mut child, self.time_limit).map_err(failed)? else {
            return Ok(Err(NoAnswer::TimedOut { limit: self.time_limit }));
        };
        let answer = fs::read(&answered);
        let (true, Ok(answer)) = (status.success(), answer) else {
            let message = said.and_then(|thread| thread.join().ok()).unwrap_or_default();
            return Ok(Err(NoAnswer::Crashed { status: status.to_string(), message }));
        };
        Ok(match answer.split_first() {
            None => Err(NoAnswer::Unregistered),
            Some((0, tensors)) => call::decode(vector, tensors).ok_or_else(|| NoAnswer::Refused {
                status: Status::InvalidOutput,
                message: "its tensors have other sizes".into(),
            }),
            Some((code, message)) => Err(NoAnswer::Refused {
                status: Status::from_code(i32::from(*code)).unwrap_or(Status::InternalError),
                message: String::from_utf8_lossy(message).into_owned(),
            }),
        })
    }
}

fn program(folder: &Path) -> PathBuf {
    folder.join("reference").with_extension(env::consts::EXE_EXTENSION)
}

/// What of cargo's list a program is linked from.
#[derive(Debug, Default)]
struct Artifacts {
    library: Option<PathBuf>,
    guests: Vec<PathBuf>,
    /// Where they and what they depend on lie; procedural macros are apart.
    folders: BTreeSet<PathBuf>,
    native_paths: Vec<String>,
}

impl Artifacts {
    fn read(stdout: ChildStdout, package: &PackageId) -> Self {
        let mut found = Self::default();
        // Read to the end in any case, or cargo would wait for a reader.
        for message in Message::parse_stream(BufReader::new(stdout)) {
            match message {
                Ok(Message::CompilerArtifact(artifact)) => {
                    let folders = artifact.filenames.iter().filter_map(|file| file.parent());
                    found.folders.extend(folders.map(|folder| folder.as_std_path().to_owned()));
                    let library = artifact.filenames.iter().find(|file| file.extension() == Some("rlib"));
                    let Some(library) = library.map(|file| file.clone().into_std_path_buf()) else { continue };
                    if artifact.target.name == "kernelpack_guest" {
                        found.guests.push(library);
                    } else if artifact.package_id == *package {
                        found.library = Some(library);
                    }
                }
                Ok(Message::BuildScriptExecuted(script)) => {
                    found.native_paths.extend(script.linked_paths.iter().map(ToString::to_string));
                }
                _ => {}
            }
        }
        found
    }
}
