//! Runtimes: an engine with the keys that it trusts.

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
    EngineError, Error, LoadEvent, Pack,
    loaded::{CompiledKernel, LoadedKernel, Origin, Shares},
    pack::VerifiedPack,
    parallel, recovery,
};

/// Why native code is not loaded that was read.
const NOT_GRANTED: &str =
    "its signer is no longer trusted for native code, and its module was not kept; open the pack again";

/// An engine that opens packs signed by keys it trusts.
///
/// Cheap to clone; the engine, and the thread that counts its ticks, end with the last runtime, pack and kernel.
#[derive(Clone)]
pub struct Runtime {
    engine: Arc<dyn Engine>,
    /// Shared by all clones; what opens a pack holds on to what it began with.
    verifier: Arc<RwLock<Arc<KernelPackVerifier>>>,
    compatibility: Arc<CompatibilityChecker>,
    ceiling: ResourceLimits,
    shares: Shares,
    recovery: Arc<recovery::Settings>,
}

impl Runtime {
    /// The engine.
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
    /// stack of 32 KiB an instance and 100 ms for a call, whatever a manifest says.
    ///
    /// Modules, instances, their stacks and linear memory are all in the pool, which one or two small kernels fit into as
    /// native code; `docs/src/small-devices.md` says what kernels take, and an interpreted one takes more. Of what WAMR
    /// needs, nothing is allocated from the system after [`build`](RuntimeBuilder::build), except executable pages for
    /// native code when a pack is opened, and the list of what is where in the pool, 12 bytes an allocation. A pack's files are read into the
    /// pool, too, if it has room. The interpreter runs no SIMD, so packs must have a scalar form of their kernels; tensors
    /// are copied, not mapped.
    ///
    /// A pack's native code is run only if the pack's signer was granted it, with
    /// [`trust_native`](RuntimeBuilder::trust_native) or in a trust store: no sandbox holds what it does. What the host
    /// compiles itself takes no grant: see `Wamr::compile_native`, and [`Execution`](crate::Execution) for what happens
    /// otherwise.
    #[cfg(feature = "kernelpack-wamr")]
    pub fn embedded() -> RuntimeBuilder {
        Self::builder(crate::Wamr::new())
    }

    /// The version that packs bound with `min_runtime_version` and `max_runtime_version`.
    pub fn version() -> Version {
        env!("CARGO_PKG_VERSION").parse().expect("cargo takes semantic versions only")
    }

    /// Verifies the pack in this folder, checks that it fits, and compiles it.
    ///
    /// # Errors
    /// [`Error::Rejected`] if anything about the pack is not in order, see [`VerifiedPack::open`];
    /// [`Error::Engine`] if a file cannot be read or a module does not compile.
    pub fn open(&self, dir: impl AsRef<Path>) -> Result<Pack, Error> {
        self.open_with(dir, |_| ())
    }

    /// Like [`open`](Self::open), but reports progress as each module is compiled.
    ///
    /// Several modules are compiled at once: `progress` is called by several threads and should not take long.
    ///
    /// # Errors
    /// As [`open`](Self::open); of several modules that do not compile, the first in the manifest's order.
    pub fn open_with(&self, dir: impl AsRef<Path>, progress: impl Fn(LoadEvent<'_>) + Sync) -> Result<Pack, Error> {
        self.load_with(self.verify(dir)?, progress)
    }

    /// Verifies the pack in this folder and checks that it fits this runtime. Nothing is compiled, and files that this
    /// runtime's engine does not load are not read; [`load`](Self::load) does the rest.
    ///
    /// # Errors
    /// As [`open`](Self::open), but for what compiling a module can fail with.
    pub fn verify(&self, dir: impl AsRef<Path>) -> Result<VerifiedPack, Error> {
        let dir = dir.as_ref();
        // Version bounds come before the modules: a pack for another runtime is told so, not that it is malformed.
        let fits = |manifest: &Manifest| Ok(self.compatibility.check(manifest).into_result()?);
        VerifiedPack::open_for(&*self.engine, dir, &self.verifier(), fits)
    }

    /// Checks that this runtime trusts the signer of a verified pack now, whoever verified it and when; that it fits; and
    /// compiles it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn load(&self, pack: VerifiedPack) -> Result<Pack, Error> {
        self.load_with(pack, |_| ())
    }

    /// Like [`load`](Self::load), but reports progress as [`open_with`](Self::open_with) does.
    ///
    /// # Errors
    /// As [`open_with`](Self::open_with).
    pub fn load_with(&self, pack: VerifiedPack, progress: impl Fn(LoadEvent<'_>) + Sync) -> Result<Pack, Error> {
        let signer = self.check_key(pack.manifest.signed_by())?;
        pack.check_compatibility(&self.compatibility)?;
        if self.recovery.metrics {
            recovery::describe();
        }
        let VerifiedPack { manifest: signed, kernels, .. } = pack;
        let manifest = signed.manifest();
        let origin = Arc::new(Origin::new(&manifest.name, &manifest.version, &self.recovery));
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
                // The signer lost the grant since the pack was read.
                let source = CompileError::Refused(NOT_GRANTED.to_owned());
                return Err(EngineError::Compile { kernel: kernel.to_owned(), source }.into());
            }
            let compiled = CompiledKernel::new(&self.engine, code, self.ceiling)?;
            progress(LoadEvent::Finished { kernel, index, total, cache: compiled.cache_outcome() });
            Ok::<_, Error>(compiled)
        })?;
        let kernels = compiled
            .into_iter()
            .zip(&vectors)
            .map(|(compiled, vectors)| {
                let kernel = LoadedKernel::new(compiled, vectors, origin.clone(), &self.shares, &self.recovery)?;
                Ok((kernel.spec.id.clone(), Arc::new(kernel)))
            })
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        self.shares.neighbours.add(kernels.values());
        // Once more, since compiling takes its time: after a key is revoked, no pack of its signer's is handed out.
        let signer = self.check_key(signed.signed_by())?;
        Ok(Pack::new(signed.into_manifest(), signer, kernels, vectors.into_iter().flatten().collect()))
    }

    /// Trusts the keys of this store from now on, instead of those of the store that the runtime had; keys given to
    /// [`RuntimeBuilder::trust`] stay, except those that the new store says are revoked or expired.
    ///
    /// It holds for all clones of the runtime, and for each pack that is handed out after this returns. Packs that are
    /// loaded go on working, since calls may be under way in them: a service that revokes a key asks
    /// [`check_trust`](Self::check_trust) about each pack that it holds, and drops or replaces those that are refused.
    ///
    /// # Example: revoking keys without a restart
    /// ```no_run
    /// use kernelpack_host::{Error, Pack, Runtime, trust::read_trust_store};
    ///
    /// /// To be called when the file has changed, for example at SIGHUP. Where it cannot be read, the trust stays as it
    /// /// was, so somebody must learn of the error.
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

    /// Checks that the key that signed a loaded pack is trusted now.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the key is not trusted any more: it expired, was revoked, or is not in the trust store.
    pub fn check_trust(&self, pack: &Pack) -> Result<(), Error> {
        self.check_key(pack.signed_by()).map(drop)
    }

    fn check_key(&self, key: &PublicKey) -> Result<Signer, Error> {
        Ok(self.verifier().check_key(key, SystemTime::now()).map_err(Rejected::from)?)
    }

    /// What packs are measured against.
    pub fn compatibility(&self) -> &CompatibilityChecker {
        &self.compatibility
    }

    /// What judges signatures: the keys that are trusted at the moment.
    pub fn verifier(&self) -> Arc<KernelPackVerifier> {
        self.verifier.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("compatibility", &self.compatibility).finish_non_exhaustive()
    }
}
