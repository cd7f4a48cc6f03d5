//! What can be said of a pack without a key: whether it agrees with itself.
//!
//! None of it says who made the pack: whoever changes a module can change the manifest, and sign it, too.

use std::path::Path;

use kernelpack_host::{Error, check_pack_files, read_pack_file};
use kernelpack_manifest::{
    Digest, Kernel, KernelPackVerifier, MANIFEST_FILE, MAX_MANIFEST_BYTES, MAX_MODULE_BYTES, Manifest, PublicKey,
    Rejected, SIGNATURE_FILE, module,
};
use serde::Serialize;

/// What was checked without a key, and what was found.
#[derive(Debug, Serialize)]
pub(crate) struct Integrity {
    /// Whether a trusted key signed the pack; always false, since none is known here.
    pub(crate) signature: bool,
    /// Whether the signature is one of the key that the manifest itself names.
    pub(crate) signed_by_named_key: bool,
    /// Whether the pack has the modules that the manifest names, and nothing else.
    pub(crate) files: bool,
    /// Whether each module has the digest that the manifest gives.
    pub(crate) hashes: bool,
    /// Whether each module is valid and is what its entry says.
    pub(crate) modules: bool,
    /// What is wrong, in words.
    pub(crate) faults: Vec<String>,
}

impl Integrity {
    /// Checks a pack against its own manifest.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn check(pack: &Path, manifest: &Manifest) -> Result<Self, Error> {
        let mut found = Self {
            signature: false,
            signed_by_named_key: false,
            files: true,
            hashes: true,
            modules: true,
            faults: Vec::new(),
        };
        found.check_signature(pack, manifest)?;
        found.check_files(pack, manifest)?;
        for kernel in &manifest.kernels {
            found.check_module(pack, manifest, kernel)?;
        }
        Ok(found)
    }

    fn check_signature(&mut self, pack: &Path, manifest: &Manifest) -> Result<(), Error> {
        let signature = match read_pack_file(pack, SIGNATURE_FILE, MAX_SIGNATURE_BYTES) {
            Err(Error::Rejected(fault)) => {
                self.faults.push(match *fault {
                    Rejected::MissingFile { .. } => format!("the pack is not signed: it has no {SIGNATURE_FILE}"),
                    fault => fault.to_string(),
                });
                return Ok(());
            }
            signature => signature?,
        };
        let bytes = read_pack_file(pack, MANIFEST_FILE, MAX_MANIFEST_BYTES as u64)?;
        // A manifest that was read names a key that is one.
        let named = manifest.author.signing_key.parse::<PublicKey>();
        self.signed_by_named_key = KernelPackVerifier::new(named).verify(&bytes, &signature).is_ok();
        if !self.signed_by_named_key {
            self.faults.push("the signature is not one of the key that the manifest names".to_owned());
        }
        Ok(())
    }

    fn check_files(&mut self, pack: &Path, manifest: &Manifest) -> Result<(), Error> {
        check_pack_files(pack, manifest, |fault| {
            // That it is not signed was said before.
            if !matches!(&fault, Rejected::MissingFile { path } | Rejected::NotAFile { path } if path == SIGNATURE_FILE)
            {
                self.files = false;
                self.faults.push(fault.to_string());
            }
            Ok(())
        })
    }

    fn check_module(&mut self, pack: &Path, manifest: &Manifest, kernel: &Kernel) -> Result<(), Error> {
        let path = &kernel.path;
        let bytes = match read_pack_file(pack, path, MAX_MODULE_BYTES as u64) {
            Err(Error::Rejected(fault)) => {
                (self.files, self.hashes, self.modules) = (false, false, false);
                let fault = fault.to_string();
                // The list of files tells most of them.
                if !self.faults.contains(&fault) {
                    self.faults.push(fault);
                }
                return Ok(());
            }
            bytes => bytes?,
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
}

/// More than a signature has, so that a longer one is seen to be one.
const MAX_SIGNATURE_BYTES: u64 = 4096;
