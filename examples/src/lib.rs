//! The folder of a release engineer, which the examples make when they start.
//!
//! In practice its files come from `kernelpack keygen` and `kernelpack build` on another machine, and an engine gets
//! `release.pub` and the packs.

use std::{env, error::Error, path::Path};

use kernelpack_packer::{BuildOptions, Built, Features, Health, Signing, build, generate, load_secret_key};
use tempfile::TempDir;

/// Makes the keys `release.key` and `release.pub` and a signed pack in a temporary folder, and makes that the working
/// folder. Dropping the returned value removes the folder.
///
/// If the working folder already has such a key and such a pack, it stays the working folder, and nothing is made.
///
/// # Errors
/// The folder cannot be made, or the crate does not build.
pub fn release(crate_dir: &str, pack: &str) -> Result<Option<TempDir>, Box<dyn Error>> {
    if Path::new("release.pub").exists() && Path::new(pack).exists() {
        return Ok(None);
    }
    let folder = TempDir::new()?;
    env::set_current_dir(&folder)?;
    generate(Path::new("release"))?;
    build_pack(crate_dir, pack)?;
    Ok(Some(folder))
}

/// Builds a crate of this repository as a pack in the working folder, signed with `release.key`, as `kernelpack build`
/// does.
///
/// # Errors
/// The key cannot be read, or the crate does not build.
pub fn build_pack(crate_dir: &str, pack: &str) -> Result<Built, Box<dyn Error>> {
    eprintln!("building {crate_dir} as {pack}");
    let options = BuildOptions {
        crate_dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_dir),
        package: None,
        features: Features::default(),
        out_dir: pack.into(),
        health: Health::default(),
        scalar: true,
        signing: Signing::Now(load_secret_key(Path::new("release.key"))?),
    };
    Ok(build(&options, &mut |_| {})?)
}
