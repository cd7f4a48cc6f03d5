//! The program `kernelpack-wamrc`, limited in time and without access to anything that it does not need.
//!
//! It limits its own memory and processor time; the driver limits wall-clock time.

use std::{
    env, io,
    path::{self, Path, PathBuf},
    process::Command,
    time::Duration,
};

use kernelpack_manifest::{AotTarget, Digest, MAX_AOT_BYTES};
use semver::Version;

use crate::{
    Compiled, CompilerError,
    folder::Folder,
    process::{Ended, run},
};

/// The program's name, in the folder of the running program or on the path.
const PROGRAM: &str = "kernelpack-wamrc";
/// The environment variable that names another program.
const OVERRIDE: &str = "KERNELPACK_WAMRC";
/// The exit status of a program that was built without LLVM.
const NO_LLVM: i32 = 3;
/// The time limit for reporting its version; most of it is for loading LLVM.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A compiler that was found and has reported its version.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    identity: String,
    wamr: Version,
    time_limit: Duration,
}

/// Locates the compiler: the program that the environment variable `KERNELPACK_WAMRC` names, else the one in the folder
/// of the running program, else the first one in `PATH`. The environment is controlled by the program's caller. If that
/// is not acceptable, as in programs that run with another user's rights, name the compiler with [`Compiler::at`].
///
/// # Errors
/// [`CompilerError::NoCompiler`], except for a program that the environment names.
pub fn locate() -> Result<PathBuf, CompilerError> {
    if let Some(program) = env::var_os(OVERRIDE) {
        return Ok(program.into());
    }
    let name = Path::new(PROGRAM).with_extension(env::consts::EXE_EXTENSION);
    let beside = env::current_exe().ok().and_then(|this| Some(this.parent()?.to_owned()));
    let path = env::var_os("PATH").unwrap_or_default();
    // Relative folders are skipped, since their meaning depends on the current folder.
    let folders = beside.into_iter().chain(env::split_paths(&path).filter(|folder| folder.is_absolute()));
    let mut programs = folders.map(|folder| folder.join(&name));
    programs.find(|program| program.is_file()).ok_or(CompilerError::NoCompiler { program: name })
}

impl Compiler {
    /// The default time limit per module.
    pub const TIME_LIMIT: Duration = Duration::from_secs(300);

    /// Uses the compiler that [`locate`] finds.
    ///
    /// # Errors
    /// There is no compiler, it was built without LLVM, or it is another program.
    pub fn find(time_limit: Duration) -> Result<Self, CompilerError> {
        Self::at(locate()?, time_limit)
    }

    /// Uses this compiler; a relative path starts from the current folder.
    ///
    /// # Errors
    /// As for [`find`](Self::find).
    pub fn at(program: impl Into<PathBuf>, time_limit: Duration) -> Result<Self, CompilerError> {
        let named = program.into();
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => CompilerError::NoCompiler { program: named.clone() },
            _ => CompilerError::Run { program: named.clone(), error },
        };
        // The program is started in another folder.
        let program = path::absolute(&named).map_err(failed)?;
        let limit = time_limit.min(ANSWER_LIMIT);
        let folder = Folder::new().map_err(|error| CompilerError::Folder { error })?;
        let mut command = command(&program, &folder);
        command.arg("--version");
        let other = |said: String| CompilerError::NotTheCompiler { program: named.clone(), said };
        let Some(Ended { status, stdout, said }) = run(command, limit).map_err(failed)? else {
            return Err(other(format!("it did not say its version within {limit:?}")));
        };
        if status.code() == Some(NO_LLVM) {
            return Err(CompilerError::NoLlvm { reason: words(said) });
        }
        let identity = String::from_utf8_lossy(&stdout).trim().to_owned();
        let version = identity.split("WAMR ").nth(1).and_then(|rest| rest.split(',').next());
        match version.and_then(|version| version.parse().ok()) {
            Some(wamr) if status.success() => Ok(Self { program, identity, wamr, time_limit }),
            _ => Err(other(words(said))),
        }
    }

    /// Returns the compiler's description of itself, in one line.
    pub fn about(&self) -> &str {
        self.identity.lines().next().unwrap_or_default()
    }

    /// Returns the compiler's full description of itself: its version, those of WAMR and LLVM, and the settings for
    /// each target. Compilers with the same description make the same code from a module.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Returns the version of WAMR that loads its output.
    pub fn wamr(&self) -> &Version {
        &self.wamr
    }

    /// Compiles a module; errors name the kernel.
    ///
    /// # Errors
    /// The module is rejected, or the compiler does not work as it should.
    pub fn compile(&self, kernel: &str, target: AotTarget, wasm: &[u8]) -> Result<Compiled, CompilerError> {
        let failed = |error| CompilerError::Run { program: self.program.clone(), error };
        let kernel = || kernel.to_owned();
        // The names of files in the process's working folder.
        let (module, file) = ("module.wasm", "module.aot");
        let folder = Folder::new().and_then(|folder| folder.write(module, wasm).map(|()| folder));
        let folder = folder.map_err(|error| CompilerError::Folder { error })?;
        let mut command = command(&self.program, &folder);
        command.args(["--target", target.name(), module, file]);
        let Some(Ended { status, said, .. }) = run(command, self.time_limit).map_err(failed)? else {
            return Err(CompilerError::TimedOut { kernel: kernel(), target, limit: self.time_limit });
        };
        let said = words(said);
        match status.code() {
            Some(0) => {}
            Some(NO_LLVM) => return Err(CompilerError::NoLlvm { reason: said }),
            Some(1) => return Err(CompilerError::Refused { kernel: kernel(), target, reason: said }),
            _ => return Err(CompilerError::Crashed { kernel: kernel(), target, status: status.to_string(), said }),
        }
        let made = folder.read(file, MAX_AOT_BYTES).map_err(Into::into);
        made.and_then(|made| Compiled::check(made, target, Digest::of(wasm), &self.wamr))
            .map_err(|fault| CompilerError::Unexpected { kernel: kernel(), target, fault })
    }
}

/// Returns the command that runs the program in a folder.
fn command(program: &Path, folder: &Folder) -> Command {
    let mut command = Command::new(program);
    // Environment variables that LLVM and WAMR read must not change the output. The search path of libraries is kept.
    command.env_clear().current_dir(folder.path()).env("TMPDIR", ".");
    command.envs(env::vars_os().filter(|(name, _)| name == "LD_LIBRARY_PATH"));
    command
}

/// Returns the program's message, without the prefix that marks an error.
fn words(said: String) -> String {
    said.trim_start_matches("error: ").to_owned()
}
