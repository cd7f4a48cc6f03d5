//! Writing a file whole or not at all.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Writes a file. Another one there is replaced in one step; after a failure it is as it was.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path: PathBuf = match fs::metadata(path) {
        // What a link leads to is replaced, rather than the link.
        Ok(metadata) if metadata.is_file() => path.canonicalize()?,
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        // A pipe or a device cannot be replaced.
        Ok(_) => return fs::write(path, bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.into(),
        Err(error) => return Err(error),
    };
    // Beside the place, since a rename works within one file system only.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kernelpack-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file, less what the umask takes.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(without_temporary_name)?;
    file.write_all(bytes)?;
    file.persist(&path)?;
    Ok(())
}

/// The system's words without the name of a file that nobody asked for.
fn without_temporary_name(error: io::Error) -> io::Error {
    error.kind().into()
}
