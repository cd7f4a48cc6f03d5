//! Signs an existing pack; the signature covers exactly its bytes.

use std::path::Path;

use kernelpack_manifest::{MANIFEST_FILE, MAX_MANIFEST_BYTES, Manifest, PublicKey, SIGNATURE_FILE, SecretKey};

use crate::{check::check_pack, pack_files, sign_error::SignError, write::replace_files};

/// Signs a pack, or signs it again.
///
/// First checks everything that a host will check, except the signature: the pack has exactly the files that the
/// manifest names, all of them regular; each module and health vector has the digest that the manifest gives; each
/// module matches its entry; and each vector is a call of its kernel. If the manifest names another key, this key's id
/// replaces it, so that the manifest names the signer. Every other byte stays, and with it the
/// [content](Manifest::content) that identifies the pack in stores. Returns the key that the pack is now signed by.
///
/// # Errors
/// No host would accept the pack, or a file cannot be used; the pack is then unchanged.
///
/// # Example: another key vouches for a pack
/// ```no_run
/// use kernelpack_packer::{load_secret_key, sign};
///
/// let public = sign("my-pack".as_ref(), &load_secret_key("release-2027.key".as_ref())?)?;
/// println!("signed by {}", public.id());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
