//! Runtimes: an engine with the keys that it trusts.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use kernelpack_abi::ResourceLimits;
use kernelpack_manifest::{
    CompatibilityChecker, KernelPackVerifier, Manifest, PublicKey, Rejected, Signer, TrustStore,
};
use semver::Version;

use crate::{
    EngineError, Error, Pack, PoolPolicy,
    engine::{Engine, WasmtimeEngine},
    loaded::{LoadedKernel, Origin},
    pack::VerifiedPack,
};

/// An engine that opens packs signed by keys it trusts.
///
/// Cheap to clone; the engine, and the thread that counts its epochs, end with the last runtime, pack and kernel.
#[derive(Clone)]
pub struct Runtime {
    engine: Arc<dyn Engine>,
    /// Shared by all clones; what opens a pack holds on to what it began with.
    verifier: Arc<RwLock<Arc<KernelPackVerifier>>>,
    compatibility: Arc<CompatibilityChecker>,
    ceiling: ResourceLimits,
    pool: PoolPolicy,
}

impl Runtime {
    /// A runtime for servers: Wasmtime with Cranelift, SIMD and epoch interruption.
    pub fn server() -> RuntimeBuilder {
        RuntimeBuilder {
            keys: Vec::new(),
            trust_store: TrustStore::default(),
            ceiling: CEILING,
            pool: PoolPolicy::default(),
        }
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
        self.load(self.verify(dir.as_ref())?)
    }

    /// Verifies the pack in this folder and that it is made for this runtime; nothing is compiled.
    pub(crate) fn verify(&self, dir: &Path) -> Result<VerifiedPack, Error> {
        // Version bounds come before the modules: a pack for another runtime is told so, not that it is malformed.
        let fits = |manifest: &Manifest| Ok(self.compatibility.check(manifest).into_result()?);
        VerifiedPack::open_if(dir, &self.verifier(), fits)
    }

    /// Checks that this runtime trusts the signer of a verified pack now, whoever verified it and when; that it fits; and
    /// compiles it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn load(&self, pack: VerifiedPack) -> Result<Pack, Error> {
        let signed = pack.signed_manifest();
        let manifest = signed.manifest();
        self.check_key(signed.signed_by())?;
        pack.check_compatibility(&self.compatibility)?;
        let origin = Arc::new(Origin { pack: manifest.name.as_str().into(), version: manifest.version.clone() });
        let kernels = pack
            .modules()
            .iter()
            .map(|module| {
                let kernel = LoadedKernel::compile(&self.engine, module, origin.clone(), self.ceiling, self.pool)?;
                Ok((module.spec().id.clone(), Arc::new(kernel)))
            })
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        // Once more, since compiling takes its time: after a key is revoked, no pack of its signer's is handed out.
        let signer = self.check_key(signed.signed_by())?;
        Ok(Pack::new(manifest.clone(), signer, kernels, pack.vectors))
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
    /// use kernelpack_host::{Error, Pack, Runtime, read_trust_store};
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

/// What a runtime allows at most, unless its builder says otherwise: 4 GiB, 10 s, ten million table elements, 1024
/// instances, 1 MiB of stack.
const CEILING: ResourceLimits = ResourceLimits {
    max_memory_pages: 65_536,
    max_epoch_ticks: 1000,
    max_table_elements: 10_000_000,
    max_instances: 1024,
    max_stack_bytes: 1 << 20,
};

/// Configures a [`Runtime`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RuntimeBuilder {
    keys: Vec<PublicKey>,
    trust_store: TrustStore,
    ceiling: ResourceLimits,
    pool: PoolPolicy,
}

impl RuntimeBuilder {
    /// Trusts packs that this key signed; can be said several times. Keys that expire or may be revoked one day are better
    /// kept in a [trust store](Self::trust_store).
    pub fn trust(mut self, key: PublicKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Trusts packs that a key of this store signed while it is neither expired nor revoked; of several stores the last
    /// counts. What the store says of a key holds for keys given to [`trust`](Self::trust), too.
    ///
    /// [`read_trust_store`](crate::read_trust_store) reads one from a file,
    /// [`Runtime::replace_trust_store`] replaces it while the runtime is in use.
    pub fn trust_store(mut self, store: TrustStore) -> Self {
        self.trust_store = store;
        self
    }

    /// Lets no call run longer than this many epoch ticks of 10 ms, whatever a manifest says; 1000 unless given.
    pub fn max_epoch_ticks(mut self, ticks: u32) -> Self {
        self.ceiling.max_epoch_ticks = ticks;
        self
    }

    /// Lets no instance have more than this many pages of 64 KiB, whatever a manifest says; 65536 unless given.
    pub fn max_memory_pages(mut self, pages: u32) -> Self {
        self.ceiling.max_memory_pages = pages;
        self
    }

    /// Lets no instance have more table elements than this, whatever a manifest says; 10 million unless given.
    pub fn max_table_elements(mut self, elements: u32) -> Self {
        self.ceiling.max_table_elements = elements;
        self
    }

    /// Lets no kernel have more than this many instances at once, whatever a manifest or the pool's policy says; 1024
    /// unless given.
    pub fn max_instances(mut self, instances: u32) -> Self {
        self.ceiling.max_instances = instances;
        self
    }

    /// Lets no call use more than this many bytes of stack, whatever a manifest says; 1 MiB unless given, at least
    /// 64 KiB.
    ///
    /// A thread that has less left than a kernel may use, and 128 KiB more, gets a stack mapped for each call, so that a
    /// kernel cannot overflow the stack of its caller. That is told from what the system says of the thread: programs
    /// that switch stacks themselves, as with stackful coroutines, must provide the room.
    pub fn max_stack_bytes(mut self, bytes: u32) -> Self {
        self.ceiling.max_stack_bytes = bytes;
        self
    }

    /// How the instances of each kernel are kept, and what a call does when all are busy.
    pub fn pool(mut self, policy: PoolPolicy) -> Self {
        self.pool = policy;
        self
    }

    /// Starts the engine.
    ///
    /// # Errors
    /// A limit is below what any kernel needs, the engine refuses its configuration, or its thread cannot be started.
    pub fn build(self) -> Result<Runtime, Error> {
        let least_stack = ResourceLimits::LEAST_STACK;
        for (what, given, least) in [
            ("max_instances", self.ceiling.max_instances, 1),
            ("the size of the pool", self.pool.size, 1),
            ("max_stack_bytes", self.ceiling.max_stack_bytes, least_stack),
        ] {
            if given < least {
                return Err(EngineError::Configure(format!("{what} is {given}, choose at least {least}")).into());
            }
        }
        let engine: Arc<dyn Engine> = Arc::new(WasmtimeEngine::new()?);
        let compatibility = CompatibilityChecker {
            runtime_version: Runtime::version(),
            engine: engine.name().to_owned(),
            engine_version: engine.version(),
            features: engine.features().into_iter().map(str::to_owned).collect(),
        };
        let verifier = KernelPackVerifier::new(self.keys).with_trust_store(self.trust_store);
        Ok(Runtime {
            engine,
            verifier: Arc::new(RwLock::new(Arc::new(verifier))),
            compatibility: Arc::new(compatibility),
            ceiling: self.ceiling,
            pool: self.pool,
        })
    }
}
