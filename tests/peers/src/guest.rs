//! The peers' guests: crates under `guests/`, compiled with the flags that Kernelpack's packer gives its modules.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::peer::Failure;

/// The packer's release profile, except for thin LTO instead of fat. The packer compiles the kernels' crate as the one
/// that is linked. Here it is a dependency, which fat LTO would optimize differently: loops that are unrolled in a pack
/// would stay rolled. With thin LTO the loop that scales a row is identical in all modules.
const PROFILE: [(&str, &str); 4] = [("OPT_LEVEL", "3"), ("LTO", "thin"), ("CODEGEN_UNITS", "1"), ("PANIC", "abort")];
/// The packer's flags that affect code.
const FLAGS: [&str; 3] = ["-Ctarget-feature=+simd128", "-Cllvm-args=-disable-lsr", "-Ccodegen-units=1"];

/// A crate under `guests/`, and its target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    pub(crate) package: &'static str,
    pub(crate) target: &'static str,
}

impl Guest {
    /// Compiles the crate and returns the module.
    ///
    /// # Errors
    /// The crate does not compile, for example because rustup lacks the target.
    pub(crate) fn build(self) -> Result<Vec<u8>, Failure> {
        let Self { package, target } = self;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = folder.join("target/guests");
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(["build", "--release", "--locked", "--quiet", "--package", package, "--target", target])
            // Uses a target folder of its own, since the process that started this one may hold the lock of the default
            // folder.
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
