//! The peers' guests: crates under `guests/`, compiled with the flags that Kernelpack's packer gives its modules.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::peer::Failure;

/// The packer's release profile, but for thin instead of fat LTO. The packer compiles the kernels as the crate that is
/// linked; here they are a dependency, which fat LTO would optimize otherwise: loops stay rolled that are unrolled in a
/// pack. With thin LTO the loop that scales a row is the same in all modules, to the byte.
const PROFILE: [(&str, &str); 4] = [("OPT_LEVEL", "3"), ("LTO", "thin"), ("CODEGEN_UNITS", "1"), ("PANIC", "abort")];
/// The packer's flags that decide about code.
const FLAGS: [&str; 3] = ["-Ctarget-feature=+simd128", "-Cllvm-args=-disable-lsr", "-Ccodegen-units=1"];

/// A crate under `guests/`, and what it is compiled for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    pub(crate) package: &'static str,
    pub(crate) target: &'static str,
}

impl Guest {
    /// Compiles it, and gives the module.
    ///
    /// # Errors
    /// It does not compile, for example since rustup lacks the target.
    pub(crate) fn build(self) -> Result<Vec<u8>, Failure> {
        let Self { package, target } = self;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = folder.join("target/guests");
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(["build", "--release", "--locked", "--quiet", "--package", package, "--target", target])
            // A folder of its own: whoever runs this may hold the lock of the other.
            .arg("--target-dir")
            .arg(&built)
            .current_dir(folder)
            .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
            .env_remove("RUSTFLAGS")
            .stdout(Stdio::null());
        for (setting, value) in PROFILE {
            command.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
        }
        eprintln!("building {package} for {target}");
        if !command.status()?.success() {
            return Err(format!("{package} does not compile; `rustup target add {target}` installs its target").into());
        }
        let module = built.join(target).join("release").join(package.replace('-', "_")).with_extension("wasm");
        fs::read(&module).map_err(|error| format!("cannot read {}: {error}", module.display()).into())
    }
}
