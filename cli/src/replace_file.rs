//! Writes a file completely or not at all.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Writes a file. An existing file is replaced atomically and keeps its permissions; after a failure it is unchanged.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_file_with(path, bytes, 0o666)
}

/// Like [`replace_file`], but `mode` gives the permissions of a new file on Unix, without the bits that the umask
/// clears.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn replace_file_with(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut permissions = None;
    let path: PathBuf = match fs::metadata(path) {
        // Replaces the target of a link rather than the link.
        Ok(metadata) if metadata.is_file() => {
            permissions = Some(metadata.permissions());
            path.canonicalize()?
        }
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        // A pipe or a device cannot be replaced.
        Ok(_) => return fs::write(path, bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.into(),
        Err(error) => return Err(error),
    };
    // The temporary file is in the same folder, since a rename only works within one file system.
    let folder = folder(&path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kernelpack-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(folder).map_err(without_temporary_name)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.write_all(bytes)?;
    // Without this, a power failure might leave the new name without the content.
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

/// Returns the folder that contains a file.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the system's error without the name of the temporary file, which means nothing to users.
fn without_temporary_name(error: io::Error) -> io::Error {
    error.kind().into()
}
