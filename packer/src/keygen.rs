//! Generates a pair of keys as two files that OpenSSL can also read. Existing files are never overwritten.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use kernelpack_manifest::{PublicKey, SecretKey};

/// A pair of keys that [`generate`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedKeys {
    /// The secret key's file, PKCS#8 in PEM; only its owner may read it.
    pub secret: PathBuf,
    /// The public key's file, SubjectPublicKeyInfo in PEM.
    pub public: PathBuf,
    /// The public key.
    pub key: PublicKey,
}

/// Makes a pair of keys and writes `<prefix>.key` and `<prefix>.pub`.
///
/// # Errors
/// One of the files already exists, or cannot be written; then no new file is left behind.
///
/// # Example: a pair of keys
/// ```no_run
/// let keys = kernelpack_packer::generate("release".as_ref())?;
/// println!("keep {} secret; {} goes to every engine", keys.secret.display(), keys.public.display());
/// # Ok::<(), kernelpack_packer::KeygenError>(())
/// ```
pub fn generate(prefix: &Path) -> Result<GeneratedKeys, KeygenError> {
    let (secret, public) = (with_suffix(prefix, ".key"), with_suffix(prefix, ".pub"));
    for path in [&secret, &public] {
        if fs::symlink_metadata(path).is_ok() {
            return Err(KeygenError::Exists { path: path.clone() });
        }
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| KeygenError::NoEntropy { reason: error.to_string() })?;
    let key = SecretKey::from_seed(seed);

    write_new(&secret, key.to_pem().as_bytes(), 0o600)?;
    if let Err(error) = write_new(&public, key.public().to_pem().as_bytes(), 0o644) {
        // A secret key without its public key is useless; the first error is the one to report.
        let _ = fs::remove_file(&secret);
        return Err(error);
    }
    Ok(GeneratedKeys { secret, public, key: key.public() })
}

/// Appends a suffix to the prefix, in which a dot does not start an extension.
fn with_suffix(prefix: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(prefix);
    path.push(suffix);
    path.into()
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), KeygenError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Set when the file is created, since others could open the file before a later change.
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeygenError::Exists { path: path.into() },
        _ => KeygenError::Write { path: path.into(), error },
    })?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(|error| {
        let _ = fs::remove_file(path);
        KeygenError::Write { path: path.into(), error }
    })
}

/// The reason why no keys were made. No file was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeygenError {
    /// A file of this name exists.
    #[error("{} already exists and will not be overwritten: choose another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The system does not provide random bytes.
    #[error("the system cannot provide random bytes: {reason}")]
    NoEntropy {
        /// The system's message.
        reason: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}
