//! Checks that need no key: whether a pack is consistent.
//!
//! Without a trust store, none of this shows who made the pack: anyone who changes a module can also change the
//! manifest and sign it.

use std::{path::Path, time::SystemTime};

use kernelpack_host::{
    Error,
    pack::{check_pack_files, read_pack_file},
};
use kernelpack_manifest::{
    Kernel, KernelPackVerifier, MANIFEST_FILE, MAX_MANIFEST_BYTES, MAX_SIGNATURE_FILE_BYTES, Manifest, Part, PartKind,
    PublicKey, Rejected, SIGNATURE_FILE, TrustStore,
};
use serde::Serialize;

/// The checks without a key, and their results.
#[derive(Debug, Serialize)]
pub(crate) struct Integrity {
    /// Whether a trusted key signed the pack; false if no trust store was given.
    pub(crate) signature: bool,
    /// The id of that key in the trust store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signed_by_id: Option<String>,
    /// Whether the key that the manifest itself names made the signature.
    pub(crate) signed_by_named_key: bool,
    /// Whether the pack has the modules that the manifest names, and nothing else.
    pub(crate) files: bool,
    /// Whether each module and compiled file has the digest that the manifest gives.
    pub(crate) hashes: bool,
    /// Whether each module is valid, and each module and compiled file matches its entry.
    pub(crate) modules: bool,
    /// Whether each health vector has the digest that the manifest gives, and is a call of its kernel.
    pub(crate) vectors: bool,
    /// The faults, as messages.
    pub(crate) faults: Vec<String>,
}

impl Integrity {
    /// Checks a pack against its own manifest.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn check(pack: &Path, manifest: &Manifest, store: Option<TrustStore>) -> Result<Self, Error> {
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
        found.check_files(pack, manifest)?;
        for part in manifest.kernels.iter().flat_map(Kernel::parts) {
            found.check_part(pack, manifest, part)?;
        }
        Ok(found)
    }

    fn check_signature(&mut self, pack: &Path, manifest: &Manifest, store: Option<TrustStore>) -> Result<(), Error> {
        let signature = match read_pack_file(pack, SIGNATURE_FILE, MAX_SIGNATURE_FILE_BYTES as u64) {
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
        let now = SystemTime::now();
        // Reading the manifest has checked that this is a key.
        let named = manifest.author.signing_key.parse::<PublicKey>();
        self.signed_by_named_key = KernelPackVerifier::new(named).verify(&bytes, &signature, now).is_ok();
        if !self.signed_by_named_key {
            self.faults.push("the signature is not by the key that the manifest names".to_owned());
        }
        let Some(store) = store else { return Ok(()) };
        match KernelPackVerifier::default().with_trust_store(store).verify(&bytes, &signature, now) {
            Ok(signed) => (self.signature, self.signed_by_id) = (true, signed.signer().id.clone()),
            Err(refused) => self.faults.push(refused.to_string()),
        }
        Ok(())
    }

    fn check_files(&mut self, pack: &Path, manifest: &Manifest) -> Result<(), Error> {
        check_pack_files(pack, manifest, |fault| {
            // A missing signature was reported before.
            if !matches!(&fault, Rejected::MissingFile { path } | Rejected::NotAFile { path } if path == SIGNATURE_FILE)
            {
                self.files = false;
                self.faults.push(fault.to_string());
            }
            Ok(())
        })
    }

    fn check_part(&mut self, pack: &Path, manifest: &Manifest, part: Part<'_>) -> Result<(), Error> {
        let Some(bytes) = self.read_named(pack, &part)? else {
            match part.kind {
                PartKind::Vector(_) => self.vectors = false,
                PartKind::Module(_) | PartKind::Native(_) => (self.hashes, self.modules) = (false, false),
            }
            return Ok(());
        };
        let is_vector = matches!(part.kind, PartKind::Vector(_));
        if let Err(fault) = part.check_digest(&bytes) {
            *(if is_vector { &mut self.vectors } else { &mut self.hashes }) = false;
            match (part.kind, fault) {
                (PartKind::Module(_), Rejected::HashMismatch { path, expected, actual, .. }) => {
                    self.faults.push(format!("{path:?} has the digest {actual}, but the manifest says {expected}"));
                }
                // Only modules are checked further despite a wrong digest, to report what they are.
                (_, fault) => {
                    self.faults.push(fault.to_string());
                    return Ok(());
                }
            }
        }
        if let Err(fault) = part.check_content(manifest, &bytes) {
            *(if is_vector { &mut self.vectors } else { &mut self.modules }) = false;
            self.faults.push(fault.to_string());
        }
        Ok(())
    }

    /// Reads a file that the manifest names; if it cannot be read, returns `None` and adds the reason to the faults.
    fn read_named(&mut self, pack: &Path, part: &Part<'_>) -> Result<Option<Vec<u8>>, Error> {
        match read_pack_file(pack, part.path(), part.max_bytes() as u64) {
            Err(Error::Rejected(fault)) => {
                self.files = false;
                let fault = fault.to_string();
                // Adds the fault unless the check of the files has already reported it, as it does for most.
                if !self.faults.contains(&fault) {
                    self.faults.push(fault);
                }
                Ok(None)
            }
            bytes => bytes.map(Some),
        }
    }
}
