//! Replaces files and packs atomically: at any moment either the complete old one or the complete new one is there.
//!
//! Only Linux can exchange two folders atomically. On other systems the path is empty for a moment between two renames,
//! and a failure at that moment restores the old pack.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use kernelpack_manifest::{HEALTH_FOLDER, MANIFEST_FILE, SIGNATURE_FILE, VECTOR_SUFFIX};
use tempfile::TempDir;

use crate::error::BuildError;

/// Writes a pack of these files, with their relative paths, to `pack`, which may not exist, be empty or contain another
/// pack.
pub(crate) fn write_pack<'a>(
    pack: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<(), BuildError> {
    let failed = |error| BuildError::io("write the pack", pack, error);
    let parent = parent(pack);
    fs::create_dir_all(&parent).map_err(failed)?;
    // The temporary folder is in the same parent folder, since a rename only works within one file system.
    let new = temp_folder(&parent).map_err(failed)?;
    for (path, content) in files {
        let path = new.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(new.path()))
            .and_then(|()| fs::write(&path, content))
            .map_err(failed)?;
    }
    check_place(pack)?;
    swap(new, pack, &parent).map_err(failed)
}

/// Checks that a pack may be written to `pack`.
pub(crate) fn check_place(pack: &Path) -> Result<(), BuildError> {
    match foreign(pack) {
        Ok(None) => Ok(()),
        Ok(Some(reason)) => Err(BuildError::NotAPack { pack: pack.into(), reason }),
        Err(error) => Err(BuildError::io("look at", pack, error)),
    }
}

/// Returns why the existing contents of `pack` must not be replaced; `None` if they may be.
fn foreign(pack: &Path) -> io::Result<Option<String>> {
    let metadata = match fs::symlink_metadata(pack) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !metadata.is_dir() {
        return Ok(Some("it is not a folder".into()));
    }
    let (mut entries, mut manifest) = (0, false);
    for entry in fs::read_dir(pack)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        entries += 1;
        let expected = if kind.is_dir() {
            holds_pack_files_only(&entry.path())?
        } else {
            kind.is_file() && (name == MANIFEST_FILE || name == SIGNATURE_FILE)
        };
        manifest |= kind.is_file() && name == MANIFEST_FILE;
        if !expected {
            return Ok(Some(format!("it has \"{}\"", name.display())));
        }
    }
    Ok(if entries == 0 || manifest { None } else { Some(format!("it has no {MANIFEST_FILE}")) })
}

/// Returns whether a folder contains only modules and compiled files, and health vectors in their folder.
fn holds_pack_files_only(folder: &Path) -> io::Result<bool> {
    let vectors = folder.file_name().is_some_and(|name| name == HEALTH_FOLDER);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let expected =
            name.ends_with(b".wasm") || name.ends_with(b".aot") || vectors && name.ends_with(VECTOR_SUFFIX.as_bytes());
        if !expected || !entry.file_type()?.is_file() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn swap(new: TempDir, pack: &Path, parent: &Path) -> io::Result<()> {
    if fs::symlink_metadata(pack).is_err() {
        fs::rename(new.path(), pack)?;
        // The folder is in place now, so it must not be deleted as a temporary one.
        let _ = new.keep();
        return Ok(());
    }
    if exchange(new.path(), pack) {
        // Now the temporary folder is the old pack, which is deleted.
        return new.close();
    }
    let old = temp_folder(parent)?;
    let aside = old.path().join("pack");
    fs::rename(pack, &aside)?;
    if let Err(error) = fs::rename(new.path(), pack) {
        return Err(match fs::rename(&aside, pack) {
            Ok(()) => error,
            Err(_) => io::Error::other(format!("{error}; the pack that was there is at {}", old.keep().display())),
        });
    }
    let _ = new.keep();
    Ok(())
}

/// Exchanges two folders atomically, if the system can.
fn exchange(new: &Path, pack: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, new, CWD, pack, RenameFlags::EXCHANGE).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (new, pack);
        false
    }
}

/// Replaces files in one folder: all are written before the first one is renamed.
pub(crate) fn replace_files(folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    let mut written = Vec::new();
    for (name, content) in files {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".kernelpack-");
        permissions(&mut builder, 0o666);
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(content)?;
        written.push((file, folder.join(name)));
    }
    for (file, path) in written {
        file.persist(path)?;
    }
    Ok(())
}

fn temp_folder(parent: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kernelpack-");
    permissions(&mut builder, 0o777);
    builder.tempdir_in(parent)
}

/// Gives the builder's results the permissions that the user's umask grants, since they do not stay temporary.
fn permissions(builder: &mut tempfile::Builder<'_, '_>, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = (builder, mode);
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.into(),
        _ => ".".into(),
    }
}

#[cfg(test)]
mod tests;
