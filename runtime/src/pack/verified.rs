//! Packs that were read and verified, but not compiled.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::SystemTime,
};

use kernelpack_engine::{Engine, KernelCode};
use kernelpack_manifest::{
    AotTarget, CompatibilityChecker, Kernel, KernelPackVerifier, MANIFEST_FILE, MAX_MANIFEST_BYTES, MAX_PACK_BYTES,
    MAX_SIGNATURE_FILE_BYTES, Manifest, ModuleRef, PackSize, Part, PartKind, Rejected, SIGNATURE_FILE, SignedManifest,
    VerifiedAot, VerifiedModule, VerifiedVector,
};

use super::{PackId, files};
use crate::{BadCall, Error, FileError, parallel};

/// A pack whose signature, files, digests and modules have all been verified.
///
/// Only [`VerifiedPack::open`] and [`Runtime::verify`](crate::Runtime::verify) make one, so it need not be verified
/// again.
///
/// # Example: a look before anything is compiled
/// ```no_run
/// use kernelpack_host::{Error, Pack, Runtime};
///
/// fn open_small(runtime: &Runtime) -> Result<Option<Pack>, Error> {
///     let verified = runtime.verify("my-pack")?;
///     if verified.kernels().len() > 100 {
///         return Ok(None);
///     }
///     runtime.load(verified).map(Some)
/// }
/// ```
#[derive(Debug)]
pub struct VerifiedPack {
    pub(crate) manifest: SignedManifest,
    /// One for each kernel of the manifest, in its order.
    pub(crate) kernels: Vec<VerifiedKernel>,
    /// Every file of the pack, by its path inside.
    files: BTreeSet<String>,
}

/// The verified code and health vectors of one kernel of a pack.
///
/// # Example: the sizes of a pack's modules
/// ```no_run
/// use kernelpack_host::pack::VerifiedPack;
///
/// fn report(pack: &VerifiedPack) {
///     for module in pack.kernels().iter().flat_map(|kernel| kernel.modules()) {
///         println!("{}: {} bytes", module.path(), module.bytes().len());
///     }
/// }
/// ```
#[derive(Debug)]
pub struct VerifiedKernel {
    /// The code that the engine loads, if the pack was read for one; otherwise every module.
    code: Vec<KernelCode>,
    pub(crate) vectors: Vec<VerifiedVector>,
}

impl VerifiedKernel {
    /// Returns the modules: the kernel's own, then those for single engines.
    pub fn modules(&self) -> impl Iterator<Item = &VerifiedModule> {
        self.code.iter().filter_map(|code| match code {
            KernelCode::Module(module) => Some(module),
            KernelCode::Native(..) => None,
        })
    }

    /// Returns the native code that the engine loads on this machine, if the pack was read for an engine. `None` if the
    /// pack has none, if its signer is trusted for modules only, or if the engine interprets. The kernel's module is
    /// always verified.
    pub fn native(&self) -> Option<&VerifiedAot> {
        self.code.iter().find_map(|code| match code {
            KernelCode::Native(_, native) => Some(&**native),
            KernelCode::Module(_) => None,
        })
    }

    /// Returns the health vectors, in the manifest's order.
    pub fn vectors(&self) -> &[VerifiedVector] {
        &self.vectors
    }

    /// Returns the code of the module with this path.
    fn code_at(&self, path: &str) -> Result<&KernelCode, Error> {
        let code = self.code.iter().find(|code| code.interface().path() == path);
        code.ok_or_else(|| BadCall::OtherEngine { path: path.to_owned() }.into())
    }

    /// Takes out the code of the module with this path.
    pub(crate) fn take_code(&mut self, path: &str) -> Result<KernelCode, Error> {
        let at = self.code.iter().position(|code| code.interface().path() == path);
        let at = at.ok_or_else(|| Error::from(BadCall::OtherEngine { path: path.to_owned() }))?;
        Ok(self.code.swap_remove(at))
    }
}

impl VerifiedPack {
    /// Reads and verifies the pack in this folder. Reads each file once, including modules for other engines, and
    /// checks in this order:
    ///
    /// 1. the signature over the raw bytes of the manifest, by a key that is trusted now;
    /// 2. the manifest's schema and content;
    /// 3. that the pack holds exactly the files that the manifest names;
    /// 4. each module's SHA-256, and that its exports, imports, memory limits and custom section match its entry;
    /// 5. each health vector's SHA-256, and that it is a call of its kernel.
    ///
    /// # Errors
    /// [`Error::Rejected`] for the first check that fails, or [`Error::File`] if a file cannot be read.
    pub fn open(dir: impl AsRef<Path>, verifier: &KernelPackVerifier) -> Result<Self, Error> {
        Self::open_if(dir.as_ref(), verifier, None, |_| Ok(()))
    }

    /// Like [`open`](Self::open), but reads only the modules and the native code that this engine loads. `fits` runs
    /// after the manifest is verified, before anything else is read, and may reject the pack. The bytes of a module are
    /// dropped before its native code is read, since engines that run native code are for machines with little memory.
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
        // The limit is above the length of a signature, so that a longer one is still read and reported as too long.
        let signature = files::read_pack_file(dir, SIGNATURE_FILE, MAX_SIGNATURE_FILE_BYTES as u64)?;
        let manifest = verifier.verify(&raw, &signature, SystemTime::now())?;
        drop(raw);
        fits(manifest.manifest())?;

        files::check_pack_files(dir, manifest.manifest(), |fault| Err(fault.into()))?;
        let code = read_code(dir, &manifest, engine)?;
        let vectors = read_vectors(dir, &manifest)?;
        let kernels = code.into_iter().zip(vectors).map(|(code, vectors)| VerifiedKernel { code, vectors }).collect();
        let own = [MANIFEST_FILE, SIGNATURE_FILE];
        let files = manifest.manifest().files().chain(own).map(str::to_owned).collect();
        Ok(Self { manifest, kernels, files })
    }

    /// Checks that the pack fits a runtime and its engine: its version bounds, what its manifest requires, and what its
    /// modules actually use.
    ///
    /// # Errors
    /// [`Error::Rejected`] for the first thing that does not fit, [`BadCall::OtherEngine`] if the pack was verified for
    /// an engine that loads other modules.
    pub fn check_compatibility(&self, checker: &CompatibilityChecker) -> Result<(), Error> {
        checker.check(self.manifest.manifest()).into_result()?;
        for (entry, kernel) in self.manifest.manifest().kernels.iter().zip(&self.kernels) {
            let code = kernel.code_at(entry.module_for(&checker.engine).path)?;
            checker.check_module(code.interface()).into_result()?;
        }
        Ok(())
    }

    /// Returns the path of each file of the pack, including the manifest and its signature.
    pub fn files(&self) -> &BTreeSet<String> {
        &self.files
    }

    /// Returns the identity of the pack.
    pub fn id(&self) -> PackId {
        PackId {
            name: self.manifest.name.clone(),
            version: self.manifest.version.clone(),
            content: self.manifest.content(),
            digest: self.manifest.digest(),
            signed_by: self.manifest.signed_by().id(),
        }
    }

    /// Returns the manifest and its signer.
    pub fn signed_manifest(&self) -> &SignedManifest {
        &self.manifest
    }

    /// Returns the kernels, in the manifest's order.
    pub fn kernels(&self) -> &[VerifiedKernel] {
        &self.kernels
    }
}

/// Reads the code of each kernel that an engine loads. Without an engine, reads all modules and checks all native code.
fn read_code(
    dir: &Path,
    manifest: &SignedManifest,
    engine: Option<&dyn Engine>,
) -> Result<Vec<Vec<KernelCode>>, Error> {
    let mut modules = read_modules(dir, manifest, engine)?.into_iter();
    let Some(engine) = engine else {
        let mut all = Vec::new();
        for kernel in &manifest.manifest().kernels {
            all.push(modules.by_ref().take(kernel.modules().count()).map(KernelCode::Module).collect());
            for part in kernel.parts() {
                if let PartKind::Native(file) = part.kind {
                    kernel.read_aot(file, &files::read_part(None, dir, part)?)?;
                }
            }
        }
        return Ok(all);
    };
    let target = AotTarget::of_this_machine().filter(|_| manifest.signer().native && engine.runs_native());
    let kernels = manifest.manifest().kernels.iter().zip(modules);
    let code = kernels.map(|(kernel, module)| {
        let native = target.and_then(|target| Some((target, kernel.aot_for(engine.name(), target)?)));
        let Some((target, file)) = native else { return Ok(vec![KernelCode::Module(module)]) };
        let interface = module.into_interface();
        let bytes = files::read_part(Some(engine), dir, Part { kernel, kind: PartKind::Native(file) })?;
        let native = manifest.verify_aot(&kernel.id, engine.name(), target, bytes)?;
        Ok(vec![KernelCode::Native(interface, Box::new(native))])
    });
    code.collect()
}

/// Reads the modules that an engine loads, or all of them, in the manifest's order.
fn read_modules(
    dir: &Path,
    manifest: &SignedManifest,
    engine: Option<&dyn Engine>,
) -> Result<Vec<VerifiedModule>, Error> {
    let kernels = &manifest.manifest().kernels;
    let named: Vec<Part<'_>> = match engine {
        Some(engine) => kernels.iter().map(|kernel| kernel.part_for(engine.name())).collect(),
        None => {
            kernels.iter().flat_map(Kernel::parts).filter(|part| matches!(part.kind, PartKind::Module(_))).collect()
        }
    };
    let read = AtomicUsize::new(0);
    let modules = parallel::map(named, |_, part| {
        let (id, bytes) = (&part.kernel.id, files::read_part(engine, dir, part)?);
        let module = match part.kind {
            PartKind::Module(ModuleRef { platform: Some((engine, _)), .. }) => {
                manifest.verify_module_for(id, engine, bytes)?
            }
            _ => manifest.verify_module(id, bytes)?,
        };
        // Bounds the memory that is held while other threads read further modules.
        let bytes = module.bytes().len();
        if read.fetch_add(bytes, Relaxed) + bytes > MAX_PACK_BYTES {
            let (kernel, limit) = (id.clone(), MAX_PACK_BYTES);
            return Err(Rejected::PackTooLarge { kernel, what: "modules", limit }.into());
        }
        Ok::<_, Error>(module)
    })?;
    // Modules are checked in the manifest's order, so that the error is the same every time.
    let mut size = PackSize::default();
    for module in &modules {
        size.add(&module.spec().id, module.bytes().len(), module.facts())?;
    }
    Ok(modules)
}

/// Reads the health vectors of each kernel.
fn read_vectors(dir: &Path, manifest: &SignedManifest) -> Result<Vec<Vec<VerifiedVector>>, Error> {
    let mut all = Vec::new();
    let mut size = PackSize::default();
    for kernel in &manifest.manifest().kernels {
        let mut vectors = Vec::new();
        for part in kernel.parts().filter(|part| matches!(part.kind, PartKind::Vector(_))) {
            let bytes = files::read_part(None, dir, part)?;
            size.add_vector(bytes.len())?;
            vectors.push(manifest.verify_vector(&kernel.id, part.path(), &bytes)?);
        }
        all.push(vectors);
    }
    Ok(all)
}

/// Reads the manifest of a pack without verifying anything, so its content cannot be trusted.
///
/// # Errors
/// The manifest cannot be read or is malformed.
pub fn read_manifest(dir: impl AsRef<Path>) -> Result<Manifest, Error> {
    Ok(Manifest::parse(&read_raw_manifest(dir.as_ref())?)?)
}

fn read_raw_manifest(dir: &Path) -> Result<Vec<u8>, Error> {
    // Without this check, a path to a file would be reported as a pack without a manifest.
    let metadata = fs::metadata(dir).map_err(|error| Error::unread(dir, error))?;
    if !metadata.is_dir() {
        return Err(FileError::NotAFolder { path: dir.into() }.into());
    }
    files::read_pack_file(dir, MANIFEST_FILE, MAX_MANIFEST_BYTES as u64)
}
