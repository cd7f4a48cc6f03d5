//! A pack that was read and verified, but not compiled.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::SystemTime,
};

use kernelpack_engine::Engine;
use kernelpack_files::MAX_SIGNATURE_FILE_BYTES;
use kernelpack_manifest::{
    AotTarget, CompatibilityChecker, Kernel, KernelPackVerifier, MANIFEST_FILE, MAX_AOT_BYTES, MAX_HEALTH_BYTES,
    MAX_MANIFEST_BYTES, MAX_MODULE_BYTES, MAX_PACK_BYTES, MAX_PACK_HEALTH_BYTES, Manifest, ModuleRef, PackSize,
    Rejected, SIGNATURE_FILE, SignedManifest, VerifiedAot, VerifiedModule, VerifiedVector,
};

use super::{PackId, files};
use crate::{EngineError, Error, parallel};

/// A pack whose signature, files, digests and modules have all been found in order.
///
/// It is made by [`VerifiedPack::open`] only, so whoever holds one need not check again.
#[derive(Debug)]
pub struct VerifiedPack {
    pub(crate) manifest: SignedManifest,
    pub(crate) modules: Vec<VerifiedModule>,
    pub(crate) vectors: Vec<VerifiedVector>,
    /// With the kernels' ids.
    pub(crate) native: Vec<(String, VerifiedAot)>,
    /// Every file of the pack, by its path inside.
    pub(crate) files: BTreeSet<String>,
}

impl VerifiedPack {
    /// Reads each file once, modules for other engines included, and checks, in this order: the signature over the raw
    /// bytes of the manifest, by a key that is trusted now; the manifest's schema and content; that the pack holds
    /// exactly the files that it names; each module's SHA-256; that each module's exports, imports, memory limits and
    /// custom section agree with its entry; each health vector's SHA-256, and that it is a call of its kernel.
    ///
    /// # Errors
    /// [`Error::Rejected`] with the first thing that is not in order, or [`Error::Engine`] if a file cannot be read.
    pub fn open(dir: impl AsRef<Path>, verifier: &KernelPackVerifier) -> Result<Self, Error> {
        Self::open_if(dir.as_ref(), verifier, None, |_| Ok(()))
    }

    /// The same, of modules and native code only with what this engine loads, and with a say for the caller once the manifest is
    /// verified and before anything else is read. Native code is read if the engine runs any, after its kernel's module,
    /// whose bytes are put away then: an engine that runs native code is one for machines with little memory.
    pub(crate) fn open_for(
        engine: &dyn Engine,
        dir: &Path,
        verifier: &KernelPackVerifier,
        fits: impl FnOnce(&Manifest) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        Self::open_if(dir, verifier, Some(engine), fits)
    }

    fn open_if(
        dir: &Path,
        verifier: &KernelPackVerifier,
        engine: Option<&dyn Engine>,
        fits: impl FnOnce(&Manifest) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let raw = read_raw_manifest(dir)?;
        // A longer signature is read far enough to be seen to be too long.
        let signature = files::read_pack_file(dir, SIGNATURE_FILE, MAX_SIGNATURE_FILE_BYTES)?;
        let manifest = verifier.verify(&raw, &signature, SystemTime::now())?;
        drop(raw);
        fits(manifest.manifest())?;

        files::check_pack_files(dir, manifest.manifest(), |fault| Err(fault.into()))?;
        let mut modules = read_modules(dir, &manifest, engine)?;
        let vectors = read_vectors(dir, &manifest)?;
        let native = read_native(dir, &manifest, engine, &mut modules)?;
        let own = [MANIFEST_FILE, SIGNATURE_FILE];
        let files = manifest.manifest().files().chain(own).map(str::to_owned).collect();
        Ok(Self { manifest, modules, vectors, native, files })
    }

    /// Checks that the pack fits a runtime and its engine: version bounds, what its manifest asks for, and what its
    /// modules really use.
    ///
    /// # Errors
    /// [`Error::Rejected`] with the first thing that does not fit.
    pub fn check_compatibility(&self, checker: &CompatibilityChecker) -> Result<(), Error> {
        checker.check(self.manifest.manifest()).into_result()?;
        for module in self.modules_for(&checker.engine)? {
            checker.check_module(module).into_result()?;
        }
        Ok(())
    }

    /// The path of each file of the pack, the manifest and its signature among them.
    pub fn files(&self) -> &BTreeSet<String> {
        &self.files
    }

    /// Which pack it is.
    pub fn id(&self) -> PackId {
        PackId {
            name: self.manifest.name.clone(),
            version: self.manifest.version.clone(),
            content: self.manifest.content(),
            digest: self.manifest.digest(),
            signed_by: self.manifest.signed_by().id(),
        }
    }

    /// The manifest and who signed it.
    pub fn signed_manifest(&self) -> &SignedManifest {
        &self.manifest
    }

    /// The modules, in the manifest's order: of each kernel its own, then those for single engines.
    pub fn modules(&self) -> &[VerifiedModule] {
        &self.modules
    }

    /// Each kernel's module that the engine of this name loads, in the manifest's order.
    ///
    /// # Errors
    /// The pack was opened for another engine, whose modules are others.
    pub(crate) fn modules_for(&self, engine: &str) -> Result<Vec<&VerifiedModule>, Error> {
        let mut read = self.modules.iter();
        let kernels = self.manifest.manifest().kernels.iter().map(|kernel| kernel.module_for(engine).path);
        kernels
            .map(|path| {
                let missing = || Rejected::MissingFile { path: path.to_owned() }.into();
                // Both are in the manifest's order.
                read.find(|module| module.path() == path).ok_or_else(missing)
            })
            .collect()
    }

    /// The native code that the engine which the pack was opened for loads for this kernel on this machine. None where the
    /// pack has none, where its signer is trusted for modules only, or where the runtime interprets; the kernel's module was
    /// verified in any case.
    pub fn native(&self, kernel: &str) -> Option<&VerifiedAot> {
        self.native.iter().find(|(id, _)| id == kernel).map(|(_, native)| native)
    }

    /// The health vectors, in the manifest's order.
    pub fn vectors(&self) -> &[VerifiedVector] {
        &self.vectors
    }
}

/// Takes the native code of a kernel out of a pack's.
pub(crate) fn take(native: &mut Vec<(String, VerifiedAot)>, kernel: &str) -> Option<VerifiedAot> {
    let at = native.iter().position(|(id, _)| id == kernel)?;
    Some(native.swap_remove(at).1)
}

/// Reads the modules that an engine loads, or all of them.
fn read_modules(
    dir: &Path,
    manifest: &SignedManifest,
    engine: Option<&dyn Engine>,
) -> Result<Vec<VerifiedModule>, Error> {
    let kernels = &manifest.manifest().kernels;
    let named: Vec<(&Kernel, ModuleRef<'_>)> = match engine {
        Some(engine) => kernels.iter().map(|kernel| (kernel, kernel.module_for(engine.name()))).collect(),
        None => kernels.iter().flat_map(|kernel| kernel.modules().map(move |module| (kernel, module))).collect(),
    };
    let read = AtomicUsize::new(0);
    let modules = parallel::map(&named, |_, (kernel, module)| {
        let bytes = files::read_for(engine, dir, module.path, MAX_MODULE_BYTES as u64)?;
        let module = match module.platform {
            None => manifest.verify_module(&kernel.id, bytes)?,
            Some((engine, _)) => manifest.verify_module_for(&kernel.id, engine, bytes)?,
        };
        // Bounds what is held in memory while more is read, in whatever order that goes.
        let bytes = module.bytes().len();
        if read.fetch_add(bytes, Relaxed) + bytes > MAX_PACK_BYTES {
            let (kernel, limit) = (kernel.id.clone(), MAX_PACK_BYTES);
            return Err(Rejected::PackTooLarge { kernel, what: "modules", limit }.into());
        }
        Ok::<_, Error>(module)
    })?;
    // In the manifest's order, so that the error is the same each time.
    let mut size = PackSize::default();
    for ((kernel, _), module) in named.iter().zip(&modules) {
        size.add(&kernel.id, module.bytes().len(), module.facts())?;
    }
    Ok(modules)
}

/// Reads the native code that an engine loads on this machine, if the signer may vouch for it, and puts away the modules
/// in whose stead that is; or checks all of it against its entries, where no engine is named.
fn read_native(
    dir: &Path,
    manifest: &SignedManifest,
    engine: Option<&dyn Engine>,
    modules: &mut [VerifiedModule],
) -> Result<Vec<(String, VerifiedAot)>, Error> {
    let mut native = Vec::new();
    let Some(engine) = engine else {
        for kernel in &manifest.manifest().kernels {
            for file in kernel.aot_files() {
                let bytes = files::read_pack_file(dir, &file.path, MAX_AOT_BYTES as u64)?;
                kernel.read_aot(file, &bytes)?;
            }
        }
        return Ok(native);
    };
    let target = AotTarget::of_this_machine().filter(|_| manifest.signer().native && engine.runs_native());
    let Some(target) = target else { return Ok(native) };
    // Both are in the manifest's order.
    for (kernel, module) in manifest.manifest().kernels.iter().zip(modules) {
        let Some(file) = kernel.aot_for(engine.name(), target) else { continue };
        module.put_away();
        let bytes = files::read_for(Some(engine), dir, &file.path, MAX_AOT_BYTES as u64)?;
        native.push((kernel.id.clone(), manifest.verify_aot(&kernel.id, engine.name(), target, bytes)?));
    }
    Ok(native)
}

fn read_vectors(dir: &Path, manifest: &SignedManifest) -> Result<Vec<VerifiedVector>, Error> {
    let mut vectors = Vec::new();
    let mut total = 0;
    for kernel in &manifest.manifest().kernels {
        for entry in &kernel.health {
            let bytes = files::read_pack_file(dir, &entry.path, MAX_HEALTH_BYTES as u64)?;
            total += bytes.len();
            if total > MAX_PACK_HEALTH_BYTES {
                return Err(Rejected::VectorsTooLarge.into());
            }
            vectors.push(manifest.verify_vector(&kernel.id, &entry.path, &bytes)?);
        }
    }
    Ok(vectors)
}

/// Reads the manifest of a pack without verifying anything: nobody vouches for what it says.
///
/// # Errors
/// The manifest cannot be read or is malformed.
pub fn read_manifest(dir: impl AsRef<Path>) -> Result<Manifest, Error> {
    Ok(Manifest::parse(&read_raw_manifest(dir.as_ref())?)?)
}

fn read_raw_manifest(dir: &Path) -> Result<Vec<u8>, Error> {
    // A path that is no folder would read as a pack without a manifest; say what it is.
    let metadata = fs::metadata(dir).map_err(|source| EngineError::Read { path: dir.into(), source })?;
    if !metadata.is_dir() {
        return Err(EngineError::NotAFolder { path: dir.into() }.into());
    }
    files::read_pack_file(dir, MANIFEST_FILE, MAX_MANIFEST_BYTES as u64)
}
