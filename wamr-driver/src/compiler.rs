//! The program `kernelpack-wamrc`, bounded in time and kept from everything that it does not need.
//!
//! A process of its own is what makes a crash of the compiler an error of ours. Memory and processor time it bounds by
//! itself; the clock is ours.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use kernelpack_manifest::{AotTarget, MAX_AOT_BYTES};
use semver::Version;

use crate::{
    CompilerError, file,
    process::{last_words, wait},
};

/// The program's name, beside this one or on the path.
const PROGRAM: &str = "kernelpack-wamrc";
/// Names another one.
const OVERRIDE: &str = "KERNELPACK_WAMRC";
/// How the program ends where it was built without LLVM.
const NO_LLVM: i32 = 3;

/// The compiler, found and asked for its version.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    about: String,
    wamr: Version,
    time_limit: Duration,
}

impl Compiler {
    /// How long a module may take, unless said otherwise.
    pub const TIME_LIMIT: Duration = Duration::from_secs(300);

    /// The compiler that the environment names in `KERNELPACK_WAMRC`, else the one that lies beside this program, else
    /// the one on the path.
    ///
    /// # Errors
    /// There is none, or it was built without LLVM.
    pub fn find(time_limit: Duration) -> Result<Self, CompilerError> {
        let name = Path::new(PROGRAM).with_extension(env::consts::EXE_EXTENSION);
        let beside = || {
            let program = env::current_exe().ok()?.parent()?.join(&name);
            program.is_file().then_some(program)
        };
        let program = env::var_os(OVERRIDE).map(PathBuf::from).or_else(beside).unwrap_or(name);
        Self::at(program, time_limit)
    }

    /// This compiler.
    ///
    /// # Errors
    /// As for [`find`](Self::find).
    pub fn at(program: impl Into<PathBuf>, time_limit: Duration) -> Result<Self, CompilerError> {
        let program = program.into();
        let output = match Command::new(&program).arg("--version").stdin(Stdio::null()).output() {
            Ok(output) => output,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(CompilerError::NoCompiler { program }),
            Err(error) => return Err(CompilerError::Run { program, error }),
        };
        let said = |bytes: &[u8]| last_words(bytes).trim_start_matches("error: ").to_owned();
        if output.status.code() == Some(NO_LLVM) {
            return Err(CompilerError::NoLlvm { reason: said(&output.stderr) });
        }
        let about = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let version = about.split("WAMR ").nth(1).and_then(|rest| rest.split(',').next());
        match version.and_then(|version| version.parse().ok()) {
            Some(wamr) if output.status.success() => Ok(Self { program, about, wamr, time_limit }),
            _ => Err(CompilerError::NotTheCompiler { program, said: said(&output.stderr) }),
        }
    }

    /// What it says of itself, in a line.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The version of WAMR that loads what it makes.
    pub fn wamr(&self) -> &Version {
        &self.wamr
    }

    /// Compiles a module; the kernel is named in errors.
    ///
    /// # Errors
    /// The module is refused, or the compiler does not do what it should.
    pub fn compile(&self, kernel: &str, target: AotTarget, wasm: &[u8]) -> Result<Vec<u8>, CompilerError> {
        let failed = |error| CompilerError::Run { program: self.program.clone(), error };
        let folder = tempfile::Builder::new().prefix("kernelpack-aot-").tempdir().map_err(failed)?;
        let (module, file) = (folder.path().join("module.wasm"), folder.path().join("module.aot"));
        fs::write(&module, wasm).map_err(failed)?;
        let mut command = Command::new(&self.program);
        command.args(["--target", target.name()]).arg(&module).arg(&file);
        // What LLVM and WAMR would take from the environment is not to change what is made. Where the libraries lie is
        // another matter.
        command.env_clear().current_dir(folder.path()).env("TMPDIR", folder.path());
        command.envs(env::vars_os().filter(|(name, _)| name == "LD_LIBRARY_PATH"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let said = child.stderr.take().map(|stderr| thread::spawn(move || last_words(stderr)));
        let Some(status) = wait(&mut child, self.time_limit).map_err(failed)? else {
            return Err(CompilerError::TimedOut { kernel: kernel.to_owned(), target, limit: self.time_limit });
        };
        let said = said.and_then(|thread| thread.join().ok()).unwrap_or_default();
        let said = said.trim_start_matches("error: ").to_owned();
        match status.code() {
            Some(0) => {}
            Some(NO_LLVM) => return Err(CompilerError::NoLlvm { reason: said }),
            Some(1) => return Err(CompilerError::Refused { kernel: kernel.to_owned(), target, reason: said }),
            _ => {
                let (kernel, status) = (kernel.to_owned(), status.to_string());
                return Err(CompilerError::Crashed { kernel, target, status, said });
            }
        }
        file::read(&file, MAX_AOT_BYTES).map_err(|_| CompilerError::Unexpected { kernel: kernel.to_owned(), target })
    }
}
