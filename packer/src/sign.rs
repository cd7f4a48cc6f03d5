//! Signing a pack that exists: somebody vouches for exactly the bytes that lie there.

use std::{
    io,
    path::{Path, PathBuf},
};

use kernelpack_manifest::{
    Digest, MANIFEST_FILE, MAX_HEALTH_BYTES, MAX_MANIFEST_BYTES, MAX_MODULE_BYTES, MAX_PACK_HEALTH_BYTES, Manifest,
    PackSize, PublicKey, Rejected, SIGNATURE_FILE, SecretKey,
};

use crate::{aot, pack_files, write::replace_files};

/// Signs a pack, or signs it anew.
///
/// The pack is held to what a host will check, the signature aside: it has exactly the files that the manifest names,
/// all of them regular, each module and health vector has the digest that the manifest gives it, each module is what its
/// entry says, and each vector is a call of its kernel. Where the manifest names another key than this one, this one's id
/// takes that one's place, so that what is said and who signed agree; every other byte stays, and with it the
/// [content](Manifest::content) that stores know the pack by. Returns the key that the pack is now signed by.
///
/// # Errors
/// No host would accept the pack, or a file cannot be used; the pack is then as it was.
pub fn sign(pack: &Path, key: &SecretKey) -> Result<PublicKey, SignError> {
    let path = pack.join(MANIFEST_FILE);
    let refused = |fault| SignError::refused(&path, fault);
    let mut bytes = pack_files::read(pack, MANIFEST_FILE, MAX_MANIFEST_BYTES as u64)?;
    let manifest = Manifest::parse(&bytes).map_err(refused)?;
    check_pack(pack, &manifest)?;

    let public = key.public();
    let mut files = Vec::new();
    if manifest.author.signing_key != public.id() {
        bytes = Manifest::with_signing_key(&bytes, &public).map_err(refused)?;
        files.push((MANIFEST_FILE, &bytes[..]));
    }
    let signature = key.sign(&bytes);
    files.push((SIGNATURE_FILE, &signature[..]));
    replace_files(pack, &files).map_err(|error| SignError::Io { action: "write", path: pack.into(), error })?;
    Ok(public)
}

/// Holds the files of a pack to what its manifest says.
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
    aot::check(pack, manifest)?;
    check_vectors(pack, manifest)
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

/// Why a pack was not signed; it is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The pack or its manifest is not one that a host would accept.
    #[error("{} cannot be signed: {fault}", path.display())]
    Refused {
        /// The pack's folder, or the manifest's file.
        path: PathBuf,
        /// Why.
        fault: Box<Rejected>,
    },
    /// A module is not the one that the manifest was made for.
    #[error(
        "{} has the digest {actual}, the manifest says {expected}: somebody changed the module, so build the pack again",
        path.display()
    )]
    Changed {
        /// The module's file.
        path: PathBuf,
        /// What the manifest says.
        expected: Digest,
        /// What the module has.
        actual: Digest,
    },
    /// A file cannot be used.
    #[error("cannot {action} {}: {error}", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl SignError {
    pub(crate) fn refused(path: &Path, fault: Rejected) -> Self {
        Self::Refused { path: path.into(), fault: Box::new(fault) }
    }
}
