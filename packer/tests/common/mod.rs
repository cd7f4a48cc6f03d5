//! Helpers that several tests share.

use std::{fs, io::Write as _, path::Path, process::Command};

use kernelpack_manifest::PublicKey;

/// Returns whether OpenSSL, as an independent implementation, accepts the signature of a pack; `None` without OpenSSL.
pub(crate) fn openssl_verifies(pack: &Path, key: &PublicKey) -> Option<bool> {
    Command::new("openssl").arg("version").output().ok()?;
    let mut public = tempfile::NamedTempFile::new().unwrap();
    public.write_all(key.to_pem().as_bytes()).unwrap();
    let output = Command::new("openssl")
        .args(["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey"])
        .arg(public.path())
        .arg("-in")
        .arg(pack.join("kernels.json"))
        .arg("-sigfile")
        .arg(pack.join("kernels.json.sig"))
        .output()
        .unwrap();
    Some(output.status.success())
}

/// Returns every file below a folder, by path, with its content.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
