//! Finds LLVM through its `llvm-config`, and a C++ compiler for WAMR's C++ files.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The environment variable that names another `llvm-config`.
const OVERRIDE: &str = "LLVM_CONFIG";

/// The versions that WAMR's sources compile with, Debian's default first.
const VERSIONS: [u32; 6] = [14, 19, 15, 16, 17, 18];

/// An installed LLVM.
pub(crate) struct Llvm {
    /// The version, such as `14.0.6`.
    pub(crate) version: String,
    /// The folder of its headers.
    pub(crate) include: PathBuf,
    /// The C++ standard that its headers need, such as `-std=c++14`.
    pub(crate) standard: String,
    libraries: PathBuf,
    library: String,
}

/// The component that is not installed.
pub(crate) enum Missing {
    /// No `llvm-config` of a supported version.
    Llvm,
    /// The named `llvm-config` does not work or has an unsupported version.
    Unsuitable { program: String, version: String },
    /// The tools are installed, but headers or libraries are not.
    Development { major: u32 },
    /// No C++ compiler.
    Cxx { major: u32 },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Llvm => f.write_str("no llvm-config: install llvm-14-dev (or llvm-19-dev) and g++"),
            Self::Unsuitable { program, version } => {
                let (first, last) = (VERSIONS.iter().min(), VERSIONS.iter().max());
                let (first, last) = (first.copied().unwrap_or_default(), last.copied().unwrap_or_default());
                write!(
                    f,
                    "{OVERRIDE}={program} is {version}, not LLVM {first} to {last}: install llvm-14-dev and g++, and unset it"
                )
            }
            Self::Development { major } => {
                write!(f, "LLVM {major} without headers or library: install llvm-{major}-dev and g++")
            }
            Self::Cxx { major } => write!(f, "LLVM {major}, but no C++ compiler: install g++"),
        }
    }
}

/// Returns the LLVM that the environment names, else the first installed version that is supported.
pub(crate) fn find() -> Result<Llvm, Missing> {
    println!("cargo::rerun-if-env-changed={OVERRIDE}");
    println!("cargo::rerun-if-env-changed=PATH");
    let found = match env::var(OVERRIDE) {
        Ok(program) => {
            let version = ask(&program, "--version").unwrap_or_else(|| "not to be run".to_owned());
            if major(&version).is_none_or(|major| !VERSIONS.contains(&major)) {
                return Err(Missing::Unsuitable { program, version });
            }
            Some(program)
        }
        Err(_) => {
            VERSIONS.iter().map(|version| format!("llvm-config-{version}")).chain(["llvm-config".to_owned()]).find(
                |program| {
                    let major = ask(program, "--version").and_then(|version| major(&version));
                    major.is_some_and(|major| VERSIONS.contains(&major))
                },
            )
        }
    };
    let Some(program) = found else {
        // A missing file makes cargo run this again at the next build, when LLVM may be installed.
        println!("cargo::rerun-if-changed=/usr/bin/llvm-config-{}", VERSIONS[0]);
        return Err(Missing::Llvm);
    };
    let said = |option| ask(&program, option).unwrap_or_default();
    let version = said("--version");
    let major = major(&version).unwrap_or_default();
    let include = PathBuf::from(said("--includedir"));
    // Debian's static libraries would need the development files of z3, zlib, terminfo and more. The shared library
    // needs none, links in a second, and is what `llvm-config` names by default.
    let libraries = said("--libs");
    let library = libraries.split_whitespace().find_map(|library| library.strip_prefix("-l"));
    let header = include.join("llvm-c/Core.h");
    let (true, Some(library)) = (header.is_file(), library) else {
        println!("cargo::rerun-if-changed={}", header.display());
        return Err(Missing::Development { major });
    };
    let cxx = cc::Build::new().cpp(true).cargo_metadata(false).try_get_compiler();
    let runs = |path: &Path| Command::new(path).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !cxx.is_ok_and(|cxx| runs(cxx.path()).is_ok_and(|status| status.success())) {
        println!("cargo::rerun-if-changed=/usr/bin/g++");
        return Err(Missing::Cxx { major });
    }
    let flags = said("--cxxflags");
    let standard = flags.split_whitespace().find(|flag| flag.starts_with("-std=")).unwrap_or("-std=c++17").to_owned();
    println!("cargo::rerun-if-changed={}", header.display());
    Ok(Llvm { version, include, standard, libraries: said("--libdir").into(), library: library.to_owned() })
}

impl Llvm {
    /// Links the program to the library.
    pub(crate) fn link(&self) {
        println!("cargo::rustc-link-search=native={}", self.libraries.display());
        println!("cargo::rustc-link-lib=dylib={}", self.library);
        println!("cargo::rustc-link-lib=dylib=m");
    }
}

/// Returns the program's answer, if it can be run.
fn ask(program: &str, option: &str) -> Option<String> {
    let output = Command::new(program).arg(option).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}
