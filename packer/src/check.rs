//! Checking a pack before it is signed: everything that hosts check, except the signature.

use std::path::Path;

use kernelpack_manifest::{Manifest, PackSize, Rejected};

use crate::{pack_files, sign_error::SignError};

/// Checks the files of a pack against its manifest.
pub(crate) fn check_pack(pack: &Path, manifest: &Manifest) -> Result<(), SignError> {
    pack_files::check_listing(pack, manifest)?;
    let mut size = PackSize::default();
    for part in manifest.parts() {
        let bytes = pack_files::read(pack, part.path(), part.max_bytes() as u64)?;
        part.check(manifest, &bytes, &mut size).map_err(|fault| match fault {
            Rejected::HashMismatch { path, expected, actual, .. } => {
                SignError::Changed { path: pack.join(path), expected, actual }
            }
            fault => SignError::refused(pack, fault),
        })?;
    }
    Ok(())
}
