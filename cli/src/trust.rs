//! The keys that a command trusts.

use std::path::{Path, PathBuf};

use kernelpack_manifest::PublicKey;
use kernelpack_packer::{KeyFileError, load_public_key};

/// The option that names trusted keys.
#[derive(Debug, clap::Args)]
pub(crate) struct Trust {
    /// Public key that the pack must be signed by (PEM); repeat it to trust several, any of which will do
    #[arg(long = "trust", value_name = "PATH.pub", required = true)]
    files: Vec<PathBuf>,
}

impl Trust {
    /// Reads the keys.
    ///
    /// # Errors
    /// A file cannot be read or holds something else.
    pub(crate) fn keys(&self) -> Result<Vec<PublicKey>, KeyFileError> {
        keys(&self.files)
    }
}

/// Reads the keys in these files.
///
/// # Errors
/// A file cannot be read or holds something else.
pub(crate) fn keys(files: &[impl AsRef<Path>]) -> Result<Vec<PublicKey>, KeyFileError> {
    files.iter().map(|path| load_public_key(path.as_ref())).collect()
}
