//! Checking a pack before it is signed: everything that hosts check, except the signature.

use std::path::Path;

use kernelpack_manifest::{
    Digest, MAX_AOT_BYTES, MAX_HEALTH_BYTES, MAX_MODULE_BYTES, MAX_PACK_HEALTH_BYTES, Manifest, PackSize, Rejected,
};

use crate::{pack_files, sign_error::SignError};

/// Checks the files of a pack against its manifest.
pub(crate) fn check_pack(pack: &Path, manifest: &Manifest) -> Result<(), SignError> {
    pack_files::check_listing(pack, manifest)?;
    let mut size = PackSize::default();
    for kernel in &manifest.kernels {
        for module in kernel.modules() {
            let wasm = pack_files::read(pack, module.path, MAX_MODULE_BYTES as u64)?;
            let actual = Digest::of(&wasm);
            if actual != module.hash {
                return Err(SignError::Changed { path: pack.join(module.path), expected: module.hash, actual });
            }
            let spec = kernel.to_spec(&manifest.fallbacks);
            spec.and_then(|spec| module.check(&wasm, &spec))
                .and_then(|facts| size.add(&kernel.id, wasm.len(), &facts))
                .map_err(|fault| SignError::refused(pack, fault))?;
        }
    }
    check_native(pack, manifest)?;
    check_vectors(pack, manifest)
}

/// Checks the compiled files of a pack against its manifest.
fn check_native(pack: &Path, manifest: &Manifest) -> Result<(), SignError> {
    for kernel in &manifest.kernels {
        for file in kernel.aot_files() {
            let bytes = pack_files::read(pack, &file.path, MAX_AOT_BYTES as u64)?;
            match kernel.read_aot(file, &bytes) {
                Err(Rejected::HashMismatch { expected, actual, .. }) => {
                    return Err(SignError::Changed { path: pack.join(&file.path), expected, actual });
                }
                other => other.map_err(|fault| SignError::refused(pack, fault))?,
            };
        }
    }
    Ok(())
}

fn check_vectors(pack: &Path, manifest: &Manifest) -> Result<(), SignError> {
    let refused = |fault| SignError::refused(pack, fault);
    let mut total = 0;
    for kernel in &manifest.kernels {
        for entry in &kernel.health {
            let bytes = pack_files::read(pack, &entry.path, MAX_HEALTH_BYTES as u64)?;
            total += bytes.len();
            if total > MAX_PACK_HEALTH_BYTES {
                return Err(refused(Rejected::VectorsTooLarge));
            }
            kernel.read_vector(entry, &bytes).map_err(refused)?;
        }
    }
    Ok(())
}
