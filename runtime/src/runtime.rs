//! Runtimes: an engine and the keys that it trusts.

mod builder;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use kernelpack_abi::ResourceLimits;
use kernelpack_engine::{CompileError, Engine, EngineSettings, KernelCode};
use kernelpack_manifest::{
    CompatibilityChecker, KernelPackVerifier, Manifest, PublicKey, Rejected, Signer, TrustStore,
};
use semver::Version;

pub use self::builder::RuntimeBuilder;
use crate::{
    Error, LoadEvent, Pack,
    compiled::CompiledKernel,
    dispatcher::Dispatcher,
    loaded::Shares,
    metrics::{self, PackInfo, PackLabels},
    neighbours::Neighbour,
    origin::Origin,
    pack::VerifiedPack,
    parallel, recovery,
};

/// The reason why native code that was read is not loaded.
const NOT_GRANTED: &str =
    "its signer is no longer trusted for native code, and its module was not kept; open the pack again";

/// An engine that opens packs signed by keys it trusts.
///
/// Cheap to clone. The engine, and the thread that counts its ticks, end with the last runtime, pack and kernel.
///
/// # Example: from a key to a result
/// ```no_run
/// use kernelpack_host::{PublicKey, Runtime, abi::view};
/// use kernelpack_kernels::rmsnorm_f32;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = PublicKey::from_pem(&std::fs::read_to_string("release.pub")?)?;
/// let runtime = Runtime::server().trust(key).build()?;
/// let rmsnorm = runtime.open("core-pack")?.kernel::<rmsnorm_f32::Kernel>()?;
///
/// let (x, weight) = ([3.0, -4.0], [1.0, 1.0]);
/// let outputs = rmsnorm.run(rmsnorm_f32::Inputs::new(view(&x, [1, 2])?, view(&weight, [2])?))?;
/// println!("{:?}", outputs.y.data());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Runtime {
    engine: Arc<dyn Engine>,
    /// Shared by all clones. Opening a pack keeps using the verifier that it began with.
    verifier: Arc<RwLock<Arc<KernelPackVerifier>>>,
    compatibility: Arc<CompatibilityChecker>,
    ceiling: ResourceLimits,
    shares: Shares,
    recovery: Arc<recovery::Settings>,
}

impl Runtime {
    /// Returns the engine.
    #[cfg(feature = "measure")]
    pub(crate) fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Configures a runtime with this engine.
    ///
    /// # Example: a server that keeps compiled code
    /// ```no_run
    /// use kernelpack_host::{PublicKey, Runtime, engine::Wasmtime};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let key = PublicKey::from_pem(&std::fs::read_to_string("release.pub")?)?;
    /// let engine = Wasmtime::new().compile_cache("/var/cache/my-engine");
    /// let runtime = Runtime::builder(engine).trust(key).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(engine: impl EngineSettings + 'static) -> RuntimeBuilder {
        RuntimeBuilder::new(Arc::new(engine))
    }

    /// Configures a runtime for servers: [`Wasmtime`](crate::Wasmtime) with its defaults.
    #[cfg(feature = "wasmtime")]
    pub fn server() -> RuntimeBuilder {
        Self::builder(crate::Wasmtime::new())
    }

    /// Configures a runtime for small devices: [`Wamr`](crate::Wamr) with its defaults, which are a pool of 256 KiB, a
    /// stack of 32 KiB per instance and 100 ms per call, whatever a manifest says.
    ///
    /// The pool holds modules, instances, their stacks and their linear memory. One or two small kernels fit into it as
    /// native code; interpreted kernels take more, and `docs/src/small-devices.md` says how much. After
    /// [`build`](RuntimeBuilder::build), WAMR allocates only two things from the system: executable pages for native
    /// code when a pack is opened, and the list of allocations in the pool, at 12 bytes each. A pack's files are also
    /// read into the pool if it has room. The interpreter does not support SIMD, so packs must have scalar modules.
    /// Tensors are copied, not mapped.
    ///
    /// A pack's native code runs only if its signer is trusted for native code, by
    /// [`trust_native`](RuntimeBuilder::trust_native) or in a trust store, since no sandbox contains it. Code that the
    /// host compiles itself needs no such trust: see `Wamr::compile_native`, and [`Execution`](crate::Execution) for
    /// what happens otherwise.
    #[cfg(feature = "kernelpack-wamr")]
    pub fn embedded() -> RuntimeBuilder {
        Self::builder(crate::Wamr::new())
    }

    /// Returns the version that a pack's `min_runtime_version` and `max_runtime_version` refer to.
    pub fn version() -> Version {
        env!("CARGO_PKG_VERSION").parse().expect("cargo takes semantic versions only")
    }

    /// Verifies the pack in this folder, checks that it fits, and compiles it.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the pack fails a check, see [`VerifiedPack::open`];
    /// [`Error::File`] if a file cannot be read, [`Error::Load`] if a module does not compile, [`Error::Config`] if the
    /// runtime's settings do not suit the pack, [`Error::Resources`] if the machine lacks memory or file descriptors.
    pub fn open(&self, dir: impl AsRef<Path>) -> Result<Pack, Error> {
        self.open_with(dir, |_| ())
    }

    /// Like [`open`](Self::open), but reports progress as each module is compiled.
    ///
    /// Several modules are compiled at once, so `progress` is called from several threads. It should return quickly.
    ///
    /// # Errors
    /// As [`open`](Self::open). If several modules do not compile, the error is that of the first in the manifest's
    /// order.
    pub fn open_with(&self, dir: impl AsRef<Path>, progress: impl Fn(LoadEvent<'_>) + Sync) -> Result<Pack, Error> {
        self.load_with(self.verify(dir)?, progress)
    }

    /// Verifies the pack in this folder and checks that it fits this runtime, without compiling anything or reading
    /// files that this runtime's engine does not load. [`load`](Self::load) does the rest.
    ///
    /// # Errors
    /// As [`open`](Self::open), except for errors of compiling a module.
    pub fn verify(&self, dir: impl AsRef<Path>) -> Result<VerifiedPack, Error> {
        self.verify_in(dir.as_ref())
    }

    #[inline(never)]
    fn verify_in(&self, dir: &Path) -> Result<VerifiedPack, Error> {
        // Version bounds are checked before the modules, so that a pack for another runtime is not called malformed.
        let fits = |manifest: &Manifest| Ok(self.compatibility.check(manifest).into_result()?);
        VerifiedPack::open_for(&*self.engine, dir, &self.verifier(), fits)
    }

    /// Checks that this runtime currently trusts the signer of a verified pack and that the pack fits, and compiles it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn load(&self, pack: VerifiedPack) -> Result<Pack, Error> {
        self.load_with(pack, |_| ())
    }

    /// Like [`load`](Self::load), but reports progress like [`open_with`](Self::open_with).
    ///
    /// # Errors
    /// As [`open_with`](Self::open_with).
    // Devices have small stacks: without this, the stack of this function would add to that of verification.
    #[inline(never)]
    pub fn load_with(&self, pack: VerifiedPack, progress: impl Fn(LoadEvent<'_>) + Sync) -> Result<Pack, Error> {
        let signer = self.check_key(pack.manifest.signed_by())?;
        pack.check_compatibility(&self.compatibility)?;
        if self.recovery.metrics {
            metrics::describe();
        }
        let VerifiedPack { manifest: signed, kernels, .. } = pack;
        let manifest = signed.manifest();
        let (name, version): (Arc<str>, _) = (manifest.name.as_str().into(), &manifest.version);
        let info = Arc::new(PackInfo::new(self.recovery.metrics, &PackLabels { name: &name, version }));
        let mut code = Vec::new();
        let mut vectors = Vec::new();
        for (entry, mut kernel) in manifest.kernels.iter().zip(kernels) {
            code.push(kernel.take_code(entry.module_for(self.engine.name()).path)?);
            vectors.push(kernel.vectors);
        }
        let total = code.len();
        let compiled = parallel::map(code, |index, code| {
            let kernel = manifest.kernels[index].id.as_str();
            progress(LoadEvent::Started { kernel, index, total });
            if matches!(code, KernelCode::Native(..)) && !signer.native {
                // The signer's trust for native code was withdrawn after the pack was read.
                let error = CompileError::Refused(NOT_GRANTED.to_owned());
                return Err(Error::uncompiled(kernel, error));
            }
            let compiled = CompiledKernel::new(&self.engine, code, self.ceiling)?;
            progress(LoadEvent::Finished { kernel, index, total, cache: compiled.cache_outcome() });
            Ok::<_, Error>(compiled)
        })?;
        let kernels = compiled
            .into_iter()
            .zip(&vectors)
            .map(|(compiled, vectors)| {
                let id = compiled.interface.spec().id.clone();
                let (pack, version) = (name.clone(), version.clone());
                let origin = Origin { kernel: id.as_str().into(), pack, version, _info: info.clone() };
                let kernel = Dispatcher::new(compiled, vectors, origin, &self.shares, &self.recovery)?;
                Ok((id, Arc::new(kernel)))
            })
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        self.shares.neighbours.add(kernels.values().map(|kernel| kernel.loaded.clone() as Arc<dyn Neighbour>));
        // Checked again, since compiling takes time: once a key is revoked, no pack that it signed may be handed out.
        let signer = self.check_key(signed.signed_by())?;
        Ok(Pack::new(signed.into_manifest(), signer, kernels, vectors.into_iter().flatten().collect()))
    }

    /// Replaces the runtime's trust store with this one. Keys given to [`RuntimeBuilder::trust`] remain trusted, except
    /// those that the new store says are revoked or expired.
    ///
    /// This affects all clones of the runtime, and each pack that is handed out after it returns. Packs that are
    /// already loaded keep working, since calls may be running in them. To revoke a key, call
    /// [`check_trust`](Self::check_trust) for each loaded pack, and drop or replace those that it refuses.
    ///
    /// # Example: revoking keys without a restart
    /// ```no_run
    /// use kernelpack_host::{Error, Pack, Runtime, trust::read_trust_store};
    ///
    /// /// Called when the file has changed, for example on SIGHUP. If it cannot be read, the old trust store stays in use,
    /// /// so report the error.
    /// fn reload(runtime: &Runtime, packs: &mut Vec<Pack>) -> Result<(), Error> {
    ///     runtime.replace_trust_store(read_trust_store("/etc/kernelpack/trust.json")?);
    ///     packs.retain(|pack| runtime.check_trust(pack).is_ok());
    ///     Ok(())
    /// }
    /// ```
    pub fn replace_trust_store(&self, store: TrustStore) {
        let mut verifier = self.verifier.write().unwrap_or_else(PoisonError::into_inner);
        *verifier = Arc::new(verifier.as_ref().clone().with_trust_store(store));
    }

    /// Checks that the key that signed a loaded pack is still trusted.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the key has expired, was revoked, or is not in the trust store any more.
    pub fn check_trust(&self, pack: &Pack) -> Result<(), Error> {
        self.check_key(pack.signed_by()).map(drop)
    }

    fn check_key(&self, key: &PublicKey) -> Result<Signer, Error> {
        Ok(self.verifier().check_key(key, SystemTime::now()).map_err(Rejected::from)?)
    }

    /// Checks packs for compatibility with this runtime and its engine.
    pub fn compatibility(&self) -> &CompatibilityChecker {
        &self.compatibility
    }

    /// Verifies signatures with the keys that are trusted at the moment.
    pub fn verifier(&self) -> Arc<KernelPackVerifier> {
        self.verifier.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("compatibility", &self.compatibility).finish_non_exhaustive()
    }
}
