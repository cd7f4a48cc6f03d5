//! Kernelpack's own kernels: built, signed with a new key, and opened as in any engine.

use std::path::Path;

use kernelpack_host::{Pack, PublicKey, Runtime};
use kernelpack_packer::{BuildOptions, Event, Features, Health, Signing, build, generate, load_secret_key};

use crate::peer::Failure;

/// Builds the pack of the core kernels and opens it.
///
/// # Errors
/// The pack does not compile, or is refused.
pub(crate) fn open() -> Result<Pack, Failure> {
    let folder = tempfile::tempdir()?;
    let secret = load_secret_key(&generate(&folder.path().join("key"))?.secret)?;
    let public: PublicKey = secret.public();
    let options = BuildOptions {
        crate_dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kernels"),
        package: None,
        features: Features::default(),
        out_dir: folder.path().join("pack"),
        // Health vectors are left out, since this program compares the answers with the native ones itself.
        health: Health { make: false, ..Health::default() },
        // The engines here have SIMD.
        scalar: false,
        signing: Signing::Now(secret),
    };
    eprintln!("building the pack of the core kernels");
    let built = build(&options, &mut |event| {
        if let Event::Cargo { line } = event {
            eprintln!("{line}");
        }
    })?;
    Ok(Runtime::server().trust(public).build()?.open(&built.pack)?)
}
