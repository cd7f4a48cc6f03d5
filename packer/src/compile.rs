//! Compiles a crate to one WebAssembly module with all of its kernels, with SIMD or without.
//!
//! Equal sources and compilers give equal bytes, whatever folder they are in: this module fixes every setting that
//! reaches the compiler, and remaps the machine's paths to fixed names.

use std::{
    borrow::Borrow,
    env,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    iter,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use cargo_metadata::{Message, PackageId, diagnostic::Diagnostic};

use crate::{
    diagnostics::Diagnostics,
    error::BuildError,
    event::Event,
    project::Project,
    toolchain::{self, TARGET, Toolchain},
};

/// The release profile that kernels are compiled with, whatever the crate or the environment says.
const PROFILE: [(&str, &str); 9] = [
    ("OPT_LEVEL", "3"),
    ("LTO", "fat"),
    ("CODEGEN_UNITS", "1"),
    ("PANIC", "abort"),
    ("DEBUG", "false"),
    ("STRIP", "false"),
    ("INCREMENTAL", "false"),
    ("OVERFLOW_CHECKS", "false"),
    ("DEBUG_ASSERTIONS", "false"),
];

/// Flags for every crate of the module. They repeat the profile's settings, since a `[profile.release.package.…]` in
/// the workspace could change those for a dependency, and nothing in the environment can undo that. The compiler gets
/// these flags after cargo's, and the last flag of a kind wins.
const FLAGS: [&str; 6] = [
    // Loop strength reduction rewrites addresses so that LLVM can no longer fold constants into the offsets of loads
    // and stores, and WebAssembly gains nothing from it.
    "-Cllvm-args=-disable-lsr",
    "-Copt-level=3",
    "-Ccodegen-units=1",
    "-Cdebuginfo=0",
    "-Coverflow-checks=off",
    "-Cdebug-assertions=off",
];

/// Which engines a crate is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// Engines with SIMD.
    Simd,
    /// Engines without SIMD, on small devices.
    Scalar {
        /// The size of the shadow stack in linear memory, in bytes; the linker's default is 1 MiB.
        stack: u32,
    },
}

impl Build {
    /// Returns the compiler's flags for this build, including [`FLAGS`].
    fn flags(self) -> Vec<String> {
        let own = match self {
            Self::Simd => "-Ctarget-feature=+simd128".to_owned(),
            // The linker gets this after the compiler's own flag, and the last one wins.
            Self::Scalar { stack } => format!("-Clink-arg=-zstack-size={stack}"),
        };
        iter::once(own).chain(FLAGS.map(str::to_owned)).collect()
    }

    /// Returns the folder in `target/kernelpack` that cargo works in. The name of the crate's module has no hash, so in
    /// a shared folder each build would overwrite the other's module, and cargo would compile the crate every time.
    fn folder(self) -> &'static str {
        match self {
            Self::Simd => "",
            Self::Scalar { .. } => "scalar",
        }
    }
}

/// The module of a crate.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    /// The file that cargo wrote.
    pub(crate) path: PathBuf,
    /// Its content.
    pub(crate) wasm: Vec<u8>,
    /// The machine's folders, whose paths must not end up in a pack.
    pub(crate) machine: Vec<PathBuf>,
}

/// The features of a package to build with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// The features to turn on.
    pub on: Vec<String>,
    /// Whether to turn off the package's default features.
    pub no_default: bool,
}

/// Compiles the library of a package.
pub(crate) fn compile(
    project: &Project,
    features: &Features,
    build: Build,
    diagnostics: &mut Diagnostics,
    progress: &mut dyn FnMut(Event),
) -> Result<Compiled, BuildError> {
    let toolchain = Toolchain::find(project.folder())?;
    let remaps = remaps(project, &toolchain);
    let (package, version) = (project.package.clone(), project.version.clone());
    progress(match build {
        Build::Simd => Event::Compiling { package, version },
        Build::Scalar { .. } => Event::CompilingScalar { package },
    });

    let mut command = cargo_rustc(project, features, "cdylib", TARGET, build.folder());
    pin_settings(&mut command, &build.flags(), &remaps);

    let id = project.id.clone();
    let read = move |found: &mut Option<PathBuf>, message| *found = module_path(message, &id).or(found.take());
    let path = run(command, project, diagnostics, progress, read).map_err(|error| match error {
        BuildError::Compile { package, code } if build != Build::Simd => BuildError::CompileScalar { package, code },
        error => error,
    })?;
    let path = path.ok_or_else(|| BuildError::NoModule { package: project.package.clone() })?;
    let wasm = fs::read(&path).map_err(|error| BuildError::io("read the module", &path, error))?;
    Ok(Compiled { path, wasm, machine: remaps.into_iter().map(|(from, _)| from).collect() })
}

/// Returns the cargo command that compiles the library of a package for a target, in the release profile and in a
/// folder of `target/kernelpack`.
pub(crate) fn cargo_rustc(
    project: &Project,
    features: &Features,
    crate_type: &str,
    target: &str,
    folder: &str,
) -> Command {
    let mut command = Command::new(toolchain::cargo());
    command
        // The crate type is given here, since a cdylib in the author's Cargo.toml would slow down every other build.
        .args(["rustc", "--lib", "--crate-type", crate_type, "--target", target, "--release"])
        .args(["--message-format", "json", "--manifest-path"])
        .arg(&project.manifest)
        // Uses a separate folder, since in a shared one these settings would invalidate the artifacts of the author's
        // own builds.
        .arg("--target-dir")
        .arg(project.target.join("kernelpack").join(folder))
        .current_dir(project.folder());
    if project.locked {
        command.arg("--locked");
    }
    if features.no_default {
        command.arg("--no-default-features");
    }
    if !features.on.is_empty() {
        command.arg("--features").arg(features.on.join(","));
    }
    command
}

fn remaps(project: &Project, toolchain: &Toolchain) -> Vec<(PathBuf, String)> {
    let mut remaps: Vec<_> =
        project.neighbours.iter().map(|(name, folder)| (folder.clone(), format!("/path/{name}"))).collect();
    remaps.push((project.workspace.clone(), "/workspace".into()));
    remaps.push((project.target.clone(), "/target".into()));
    remaps.extend(toolchain.remaps());
    remaps
}

/// Gives the compiler the profile, whatever the environment and cargo's configuration say.
pub(crate) fn pin_profile(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PROFILE_")) {
            command.env_remove(name);
        }
    }
    for (setting, value) in PROFILE {
        command.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
    }
    command.env("CARGO_INCREMENTAL", "0");
}

/// Gives the compiler these flags and the profile, whatever the environment says.
pub(crate) fn pin_settings(command: &mut Command, flags: &[impl Borrow<str>], remaps: &[(PathBuf, String)]) {
    pin_profile(command);
    // Flags are separated by the ASCII unit separator, so that paths may contain spaces.
    let mut flags = OsString::from(flags.join("\u{1f}"));
    for (from, to) in remaps {
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    // This variable takes precedence over every other way to set flags.
    command.env("CARGO_ENCODED_RUSTFLAGS", flags).env_remove("RUSTFLAGS");
}

/// A piece of cargo's output while it runs.
enum Word {
    /// A line from cargo.
    Line(Vec<u8>),
    /// A message from the compiler.
    Diagnostic(Diagnostic),
}

/// Runs cargo, passes on its output (compiler messages only once), and returns what `read` collects from the other
/// messages.
pub(crate) fn run<T: Default + Send + 'static>(
    mut command: Command,
    project: &Project,
    diagnostics: &mut Diagnostics,
    progress: &mut dyn FnMut(Event),
    mut read: impl FnMut(&mut T, Message) + Send + 'static,
) -> Result<T, BuildError> {
    let failed = |error| BuildError::io("run cargo for", &project.manifest, error);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let (say, said) = mpsc::channel();
    let say_messages = say.clone();
    let messages = child.stdout.take().map(|stdout| {
        thread::spawn(move || {
            let mut found = T::default();
            // The output is read to its end in any case, since cargo would otherwise block on a full pipe.
            for message in Message::parse_stream(BufReader::new(stdout)) {
                match message {
                    Ok(Message::CompilerMessage(message)) => {
                        // If the build has failed, there is no receiver any more.
                        let _ = say_messages.send(Ok(Word::Diagnostic(message.message)));
                    }
                    Ok(message) => read(&mut found, message),
                    Err(_) => {}
                }
            }
            found
        })
    });
    let stderr = child.stderr.take();
    thread::spawn(move || {
        let lines = stderr.into_iter().flat_map(|stderr| BufReader::new(stderr).split(b'\n'));
        lines.map(|line| line.map(Word::Line)).try_for_each(|line| say.send(line))
    });
    let mut tell = |line: &str| progress(Event::Cargo { line: line.trim_end().into() });
    for word in said {
        match word.map_err(failed)? {
            Word::Line(line) => {
                let line = String::from_utf8_lossy(&line);
                if diagnostics.is_new(&line) {
                    tell(&line);
                }
            }
            Word::Diagnostic(message) => diagnostics.tell(&message).for_each(&mut tell),
        }
    }
    let status = child.wait().map_err(failed)?;
    let found = messages.and_then(|thread| thread.join().ok()).unwrap_or_default();
    if !status.success() {
        return Err(BuildError::Compile { package: project.package.clone(), code: status.code() });
    }
    Ok(found)
}

/// Returns the path of the module, if cargo lists it in this message.
fn module_path(message: Message, package: &PackageId) -> Option<PathBuf> {
    match message {
        Message::CompilerArtifact(artifact) if artifact.package_id == *package => {
            let wasm = artifact.filenames.into_iter().find(|file| file.extension() == Some("wasm"));
            wasm.map(Into::into)
        }
        _ => None,
    }
}

/// Returns the first of the machine's folders whose path occurs in these bytes.
pub(crate) fn machine_path<'a>(bytes: &[u8], machine: &'a [PathBuf]) -> Option<&'a Path> {
    machine.iter().map(PathBuf::as_path).find(|folder| {
        let folder = folder.as_os_str().as_encoded_bytes();
        // Ignores paths as short as "/" or "/w", which occur by chance.
        folder.len() > 4 && bytes.windows(folder.len()).any(|window| window == folder)
    })
}

#[cfg(test)]
mod tests;
