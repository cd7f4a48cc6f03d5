//! Packs that are not signed yet: measuring them, and writing the results into their manifests.

use std::{error::Error, fs, path::Path};

use kernelpack_host::pack::read_manifest;
use kernelpack_manifest::{Digest, Manifest};
use kernelpack_packer::{MANIFEST_FILE, SIGNATURE_FILE, SignError, generate, load_public_key, load_secret_key, sign};

use super::{figures::Figures, subject::Subject};
use crate::{compile_within, engine_arg::EngineArg, replace_file::replace_file, setup::Setup};

/// Opens a pack without a signature.
///
/// Runtimes only open packs that a trusted key signed, so this function signs a copy with a temporary key. All other
/// checks are done as usual, and another process compiles the kernels within limits. Since nobody vouches for the
/// kernels, only the sandbox protects from them.
///
/// # Errors
/// The pack is signed, or fails a check.
pub(crate) fn open(pack: &Path) -> Result<(Subject, Manifest), Box<dyn Error>> {
    let manifest = read_manifest(pack)?;
    if fs::symlink_metadata(pack.join(SIGNATURE_FILE)).is_ok() {
        return Err(format!(
            "{} is signed, and writing to it would break its signature: build the pack with --unsigned-for, and sign after \
             writing benchmarks",
            pack.display()
        )
        .into());
    }
    let unreadable = |path: &Path, error| SignError::Io { action: "read", path: path.into(), error };
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("pack");
    let modules = manifest.kernels.iter().flat_map(|kernel| kernel.modules().map(|module| (module.path, module.hash)));
    let vectors =
        manifest.kernels.iter().flat_map(|kernel| &kernel.health).map(|vector| (vector.path.as_str(), vector.hash));
    for (name, expected) in modules.chain(vectors) {
        let path = pack.join(name);
        let content = fs::read(&path).map_err(|error| unreadable(&path, error))?;
        let actual = Digest::of(&content);
        if actual != expected {
            return Err(SignError::Changed { path, expected, actual }.into());
        }
        let to = copy.join(name);
        fs::create_dir_all(to.parent().unwrap_or(&copy))?;
        fs::write(to, content)?;
    }
    fs::write(copy.join(MANIFEST_FILE), manifest.to_json())?;
    let keys = generate(&folder.path().join("throw-away"))?;
    sign(&copy, &load_secret_key(&keys.secret)?)?;
    let cache = folder.path().join("cache");
    compile_within::compile(&copy, &keys.public, &cache)?;
    let key = load_public_key(&keys.public)?;
    let setup = Setup::new(EngineArg::Wasmtime).with(|builder| builder.trust(key)).compile_cache(&cache);
    let setup = Subject::setup(setup);
    let runtime = setup.build()?;
    let subject = Subject::new(EngineArg::Wasmtime, &runtime, setup, |runtime| Ok(runtime.open(&copy)?))?;
    Ok((subject, manifest))
}

/// Writes measurements into the manifest of a pack, each under the name of its workload; keeps all others.
///
/// # Errors
/// The manifest cannot be written.
pub(crate) fn write(pack: &Path, mut manifest: Manifest, measured: &[(String, Figures)]) -> Result<(), Box<dyn Error>> {
    for (workload, figures) in measured {
        let entry = manifest.kernels.iter_mut().find(|kernel| kernel.id == figures.kernel());
        if let Some((kernel, benchmark)) = entry.zip(figures.benchmark()) {
            kernel.benchmarks.insert(workload.clone(), benchmark);
        }
    }
    let path = pack.join(MANIFEST_FILE);
    replace_file(&path, &manifest.to_json()).map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}
