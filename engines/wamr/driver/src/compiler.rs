//! The program `kernelpack-wamrc`, bounded in time and kept from everything that it does not need.
//!
//! Memory and processor time it bounds by itself; the clock is ours.

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

/// The program's name, beside this one or on the path.
const PROGRAM: &str = "kernelpack-wamrc";
/// Names another one.
const OVERRIDE: &str = "KERNELPACK_WAMRC";
/// How the program ends where it was built without LLVM.
const NO_LLVM: i32 = 3;
/// The longest that it may take to say what it is: loading LLVM takes most of it.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// The compiler, found and asked for its version.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    identity: String,
    wamr: Version,
    time_limit: Duration,
}

/// Where the compiler is: the program that the environment names in `KERNELPACK_WAMRC`, else the one that lies beside this
/// program, else the one in the first folder of `PATH` that has one. Whoever starts a program decides over its environment;
/// where that is not to be relied on, as in programs that run with the rights of another user, name the compiler by
/// [`Compiler::at`].
///
/// # Errors
/// [`CompilerError::NoCompiler`], but not for what the environment names.
pub fn locate() -> Result<PathBuf, CompilerError> {
    if let Some(program) = env::var_os(OVERRIDE) {
        return Ok(program.into());
    }
    let name = Path::new(PROGRAM).with_extension(env::consts::EXE_EXTENSION);
    let beside = env::current_exe().ok().and_then(|this| Some(this.parent()?.to_owned()));
    let path = env::var_os("PATH").unwrap_or_default();
    // A relative folder is whatever the current one makes of it.
    let folders = beside.into_iter().chain(env::split_paths(&path).filter(|folder| folder.is_absolute()));
    let mut programs = folders.map(|folder| folder.join(&name));
    programs.find(|program| program.is_file()).ok_or(CompilerError::NoCompiler { program: name })
}

impl Compiler {
    /// How long a module may take, unless said otherwise.
    pub const TIME_LIMIT: Duration = Duration::from_secs(300);

    /// The compiler that is found by [`locate`].
    ///
    /// # Errors
    /// There is none, it was built without LLVM, or it is something else.
    pub fn find(time_limit: Duration) -> Result<Self, CompilerError> {
        Self::at(locate()?, time_limit)
    }

    /// This compiler; a path that is not absolute starts from the current folder.
    ///
    /// # Errors
    /// As for [`find`](Self::find).
    pub fn at(program: impl Into<PathBuf>, time_limit: Duration) -> Result<Self, CompilerError> {
        let named = program.into();
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => CompilerError::NoCompiler { program: named.clone() },
            _ => CompilerError::Run { program: named.clone(), error },
        };
        // It is started in another folder.
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

    /// What it says of itself, in a line.
    pub fn about(&self) -> &str {
        self.identity.lines().next().unwrap_or_default()
    }

    /// All that it says of itself: its version, those of WAMR and LLVM, and how it compiles for each target. Compilers that
    /// say the same make the same of a module.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The version of WAMR that loads what it makes.
    pub fn wamr(&self) -> &Version {
        &self.wamr
    }

    /// Compiles a module; the kernel is named in errors.
    ///
    /// # Errors
    /// The module is refused, or the compiler does not do what it should.
    pub fn compile(&self, kernel: &str, target: AotTarget, wasm: &[u8]) -> Result<Compiled, CompilerError> {
        let failed = |error| CompilerError::Run { program: self.program.clone(), error };
        let kernel = || kernel.to_owned();
        // The names are those of files in the folder that the process starts in.
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

/// The program, to be started in a folder.
fn command(program: &Path, folder: &Folder) -> Command {
    let mut command = Command::new(program);
    // What LLVM and WAMR would take from the environment is not to change what is made. Where the libraries lie is another
    // matter.
    command.env_clear().current_dir(folder.path()).env("TMPDIR", ".");
    command.envs(env::vars_os().filter(|(name, _)| name == "LD_LIBRARY_PATH"));
    command
}

/// What it says, without the mark that it is an error.
fn words(said: String) -> String {
    said.trim_start_matches("error: ").to_owned()
}
