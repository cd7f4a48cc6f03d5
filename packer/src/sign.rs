//! Signing a pack that exists: somebody vouches for exactly the bytes that lie there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use kernelpack_manifest::{Digest, Manifest, PublicKey, Rejected, SecretKey};

use crate::write::{MANIFEST_FILE, SIGNATURE_FILE, replace_files};

/// Signs a pack, or signs it anew.
///
/// Every module must still have the digest that the manifest gives it. Where the manifest names another key than this
/// one, it is written again with this one's id, so that what is said and who signed agree. Returns the key that the
/// pack is now signed by.
///
/// # Errors
/// The manifest is not one, a module is missing or differs from what the manifest says, or a file cannot be used; the
/// pack is then as it was.
pub fn sign(pack: &Path, key: &SecretKey) -> Result<PublicKey, SignError> {
    let path = pack.join(MANIFEST_FILE);
    let read = |path: &Path| fs::read(path).map_err(|error| SignError::Io { action: "read", path: path.into(), error });
    let mut bytes = read(&path)?;
    let mut manifest =
        Manifest::parse(&bytes).map_err(|fault| SignError::Manifest { path: path.clone(), fault: Box::new(fault) })?;
    for kernel in &manifest.kernels {
        let path = pack.join(&kernel.path);
        let actual = Digest::of(&read(&path)?);
        if actual != kernel.hash {
            return Err(SignError::Changed { path, expected: kernel.hash, actual });
        }
    }

    let public = key.public();
    let mut files = Vec::new();
    if manifest.author.signing_key != public.id() {
        manifest.author.signing_key = public.id();
        bytes = manifest.to_json();
        files.push((MANIFEST_FILE, &bytes[..]));
    }
    let signature = key.sign(&bytes);
    files.push((SIGNATURE_FILE, &signature[..]));
    replace_files(pack, &files).map_err(|error| SignError::Io { action: "write", path: pack.into(), error })?;
    Ok(public)
}

/// Why a pack was not signed; it is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The manifest is not one that a host would accept.
    #[error("{} cannot be signed: {fault}", path.display())]
    Manifest {
        /// The manifest's file.
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
