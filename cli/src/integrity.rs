//! What can be said of a pack without a key: whether it agrees with itself.
//!
//! Without a trust store, none of it says who made the pack: whoever changes a module can change the manifest, and sign it, too.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use kernelpack_manifest::{
    Digest, HealthEntry, Kernel, KernelPackVerifier, MAX_HEALTH_BYTES, MAX_MODULE_BYTES, Manifest, PublicKey,
    TrustStore, module,
};
use kernelpack_packer::{MANIFEST_FILE, SIGNATURE_FILE};
use serde::Serialize;

/// What was checked without a key, and what was found.
#[derive(Debug, Serialize)]
pub(crate) struct Integrity {
    /// Whether a trusted key signed the pack; false where no trust store was given.
    pub(crate) signature: bool,
    /// The id of that key in the trust store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signed_by_id: Option<String>,
    /// Whether the signature is one of the key that the manifest itself names.
    pub(crate) signed_by_named_key: bool,
    /// Whether the pack has the modules that the manifest names, and nothing else.
    pub(crate) files: bool,
    /// Whether each module has the digest that the manifest gives.
    pub(crate) hashes: bool,
    /// Whether each module is valid and is what its entry says.
    pub(crate) modules: bool,
    /// Whether each health vector has the digest that the manifest gives, and is a call of its kernel.
    pub(crate) vectors: bool,
    /// What is wrong, in words.
    pub(crate) faults: Vec<String>,
}

impl Integrity {
    /// Checks a pack against its own manifest, and its signature against a trust store, if one is given.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn check(pack: &Path, manifest: &Manifest, store: Option<TrustStore>) -> Result<Self, String> {
        let mut found = Self {
            signature: false,
            signed_by_id: None,
            signed_by_named_key: false,
            files: true,
            hashes: true,
            modules: true,
            vectors: true,
            faults: Vec::new(),
        };
        found.check_signature(pack, manifest, store)?;
        found.check_listing(pack, manifest)?;
        for kernel in &manifest.kernels {
            found.check_module(pack, manifest, kernel)?;
            for entry in &kernel.health {
                found.check_vector(pack, kernel, entry)?;
            }
        }
        Ok(found)
    }

    fn check_signature(&mut self, pack: &Path, manifest: &Manifest, store: Option<TrustStore>) -> Result<(), String> {
        let path = pack.join(SIGNATURE_FILE);
        if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            self.faults.push(format!("the pack is not signed: it has no {SIGNATURE_FILE}"));
            return Ok(());
        }
        let Some(signature) = regular_file(&path, 4096)? else {
            self.faults.push(format!("{SIGNATURE_FILE} is no regular file of the size of a signature"));
            return Ok(());
        };
        let bytes = read(&pack.join(MANIFEST_FILE))?;
        let now = SystemTime::now();
        // A manifest that was read names a key that is one.
        let named = manifest.author.signing_key.parse::<PublicKey>();
        self.signed_by_named_key = KernelPackVerifier::new(named).verify(&bytes, &signature, now).is_ok();
        if !self.signed_by_named_key {
            self.faults.push("the signature is not one of the key that the manifest names".to_owned());
        }
        let Some(store) = store else { return Ok(()) };
        match KernelPackVerifier::default().with_trust_store(store).verify(&bytes, &signature, now) {
            Ok(signed) => (self.signature, self.signed_by_id) = (true, signed.signer().id.clone()),
            Err(refused) => self.faults.push(refused.to_string()),
        }
        Ok(())
    }

    fn check_listing(&mut self, pack: &Path, manifest: &Manifest) -> Result<(), String> {
        let own = [MANIFEST_FILE, SIGNATURE_FILE];
        let expected: BTreeSet<&str> = manifest.files().chain(own).collect();
        let mut folders = vec![(PathBuf::from(pack), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            let failed = |error| format!("cannot read {}: {error}", folder.display());
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                let inside = format!("{name}/");
                if entry.file_type().map_err(failed)?.is_dir() && expected.iter().any(|path| path.starts_with(&inside))
                {
                    folders.push((entry.path(), inside));
                } else if !expected.contains(name.as_str()) {
                    self.files = false;
                    self.faults.push(format!("the pack has {name:?}, which its manifest does not name"));
                }
            }
        }
        Ok(())
    }

    fn check_module(&mut self, pack: &Path, manifest: &Manifest, kernel: &Kernel) -> Result<(), String> {
        let path = &kernel.path;
        let Some(bytes) = self.read_named(pack, path, MAX_MODULE_BYTES)? else {
            (self.hashes, self.modules) = (false, false);
            return Ok(());
        };
        let digest = Digest::of(&bytes);
        if digest != kernel.hash {
            self.hashes = false;
            self.faults.push(format!("{path:?} has the digest {digest}, the manifest says {}", kernel.hash));
        }
        if let Err(fault) = kernel.to_spec(&manifest.fallbacks).and_then(|spec| module::check(&bytes, &spec)) {
            self.modules = false;
            self.faults.push(fault.to_string());
        }
        Ok(())
    }

    fn check_vector(&mut self, pack: &Path, kernel: &Kernel, entry: &HealthEntry) -> Result<(), String> {
        let Some(bytes) = self.read_named(pack, &entry.path, MAX_HEALTH_BYTES)? else {
            self.vectors = false;
            return Ok(());
        };
        if let Err(fault) = kernel.read_vector(entry, &bytes) {
            self.vectors = false;
            self.faults.push(fault.to_string());
        }
        Ok(())
    }

    /// The content of a file that the manifest names; none, with the reason noted, if there is no such file.
    fn read_named(&mut self, pack: &Path, path: &str, limit: usize) -> Result<Option<Vec<u8>>, String> {
        let place = pack.join(path);
        let fault = if fs::symlink_metadata(&place).is_err() {
            format!("the pack has no file {path:?}")
        } else if let Some(bytes) = regular_file(&place, limit as u64)? {
            return Ok(Some(bytes));
        } else {
            format!("{path:?} is no regular file of at most {limit} bytes")
        };
        self.files = false;
        self.faults.push(fault);
        Ok(None)
    }
}

/// The content of a file; none if it is something else than a file, or too large.
fn regular_file(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, String> {
    let metadata = fs::symlink_metadata(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if metadata.is_file() && metadata.len() <= limit { read(path).map(Some) } else { Ok(None) }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
