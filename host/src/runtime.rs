//! Runtimes: an engine with the keys that it trusts.

use std::{
    collections::BTreeMap,
    mem,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::SystemTime,
};

use kernelpack_abi::{ResourceLimits, native::NativeKernel};
use kernelpack_manifest::{
    CompatibilityChecker, KernelPackVerifier, Manifest, PublicKey, Rejected, Signer, TrustStore,
};
use semver::Version;

#[cfg(any(feature = "wamr", feature = "wamr-aot"))]
use crate::Execution;
#[cfg(feature = "wamr-compile")]
use crate::NativeCompiler;
use crate::{
    BreakerPolicy, EngineError, Error, FallbackPolicy, Interruption, LoadEvent, Pack, Placement, PoolPolicy, RawCall,
    cache::{CompileCache, DEFAULT_LIMIT},
    cores::Cores,
    engine::{Engine, EngineChoice},
    loaded::{CompiledKernel, LoadedKernel, Origin, Shares},
    pack::{VerifiedPack, verified},
    parallel,
    recovery::{self, Settings},
};

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
    recovery: Arc<Settings>,
}

impl Runtime {
    /// A runtime for servers: Wasmtime with Cranelift and SIMD; calls are stopped as [`Interruption`] says.
    #[cfg(feature = "wasmtime")]
    pub fn server() -> RuntimeBuilder {
        RuntimeBuilder::new(EngineChoice::Wasmtime)
    }

    /// A runtime for small devices: WAMR, for native code or interpreting, in a pool of fixed size, with a stack of 32
    /// KiB an instance and 100 ms for a call, whatever a manifest says, unless the builder says otherwise.
    ///
    /// Modules, instances, their stacks and linear memory are all in the pool, 256 KiB of
    /// [`with_pool`](RuntimeBuilder::with_pool) by default, which one or two small kernels fit into as native code; the
    /// README has what kernels take, and an interpreted one takes more. Of what WAMR needs, nothing is allocated from the
    /// system after [`build`](RuntimeBuilder::build), except executable pages for native code when a pack is opened, and the
    /// list of what is where in the pool, 12 bytes an allocation. A pack's files are read into the pool, too, where it has
    /// room. The interpreter runs no SIMD, so packs must have a scalar form of their kernels; tensors are copied, not mapped.
    ///
    /// A pack's native code is run only if the pack's signer was granted it, with
    /// [`trust_native`](RuntimeBuilder::trust_native) or in a trust store: no sandbox holds what it does. What the host
    /// compiles itself takes no grant: see `RuntimeBuilder::compile_native`, and [`Execution`] for what happens otherwise.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    pub fn embedded() -> RuntimeBuilder {
        let ceiling = ResourceLimits { max_epoch_ticks: 10, ..CEILING };
        RuntimeBuilder { ceiling, ..RuntimeBuilder::new(EngineChoice::WAMR) }
    }

    /// The same with bound calls divided over so many threads, where a kernel's author allows it and the call is large
    /// enough: see [`RuntimeBuilder::threads`].
    ///
    /// # Example: all cores
    /// ```no_run
    /// use kernelpack_host::Runtime;
    ///
    /// let cores = std::thread::available_parallelism()?;
    /// let runtime = Runtime::threaded(cores);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "wasmtime")]
    pub fn threaded(threads: NonZeroUsize) -> RuntimeBuilder {
        Self::server().threads(threads)
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

    /// The same, with word of each module as its code is made.
    ///
    /// Several modules are compiled at once: `progress` is called by several threads and should not take long.
    ///
    /// # Errors
    /// As [`open`](Self::open); of several modules that do not compile, the first in the manifest's order.
    pub fn open_with(&self, dir: impl AsRef<Path>, progress: impl Fn(LoadEvent<'_>) + Sync) -> Result<Pack, Error> {
        self.load_with(self.verify(dir.as_ref())?, progress)
    }

    /// Verifies the pack in this folder and that it is made for this runtime; nothing is compiled, and what its engine does
    /// not load is not read.
    pub(crate) fn verify(&self, dir: &Path) -> Result<VerifiedPack, Error> {
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

    /// The same, with word of each module as its code is made, as [`open_with`](Self::open_with) gives it.
    ///
    /// # Errors
    /// As [`open_with`](Self::open_with).
    pub fn load_with(&self, mut pack: VerifiedPack, progress: impl Fn(LoadEvent<'_>) + Sync) -> Result<Pack, Error> {
        // Each is gone once it is loaded.
        let native = Mutex::new(mem::take(&mut pack.native));
        let signed = pack.signed_manifest();
        let manifest = signed.manifest();
        let signer = self.check_key(signed.signed_by())?;
        pack.check_compatibility(&self.compatibility)?;
        if self.recovery.metrics {
            recovery::describe();
        }
        let origin = Arc::new(Origin::new(&manifest.name, &manifest.version, &self.recovery));
        let modules = pack.modules_for(self.engine.name())?;
        let total = modules.len();
        let compiled = parallel::map(&modules, |index, module| {
            let kernel = module.spec().id.as_str();
            progress(LoadEvent::Started { kernel, index, total });
            let native = verified::take(&mut native.lock().unwrap_or_else(PoisonError::into_inner), kernel);
            let native = native.filter(|_| signer.native);
            let compiled = CompiledKernel::new(&self.engine, module, native, self.ceiling)?;
            progress(LoadEvent::Finished { kernel, index, total, cache: compiled.cache_outcome() });
            Ok::<_, Error>(compiled)
        })?;
        let kernels = modules
            .into_iter()
            .zip(compiled)
            .map(|(module, compiled)| {
                let (vectors, origin) = (&pack.vectors, origin.clone());
                let kernel = LoadedKernel::new(compiled, module, vectors, origin, &self.shares, &self.recovery)?;
                Ok((module.spec().id.clone(), Arc::new(kernel)))
            })
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        self.shares.neighbours.add(kernels.values());
        // Once more, since compiling takes its time: after a key is revoked, no pack of its signer's is handed out.
        let signer = self.check_key(signed.signed_by())?;
        let VerifiedPack { manifest, vectors, .. } = pack;
        Ok(Pack::new(manifest.into_manifest(), signer, kernels, vectors))
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

    /// A call of an empty function by the engine alone, to measure calls of kernels against.
    ///
    /// # Errors
    /// The engine does not make an instance.
    pub fn raw_call(&self) -> Result<RawCall, Error> {
        RawCall::new(&self.engine)
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

/// What a runtime allows at most, unless its builder says otherwise: 4 GiB, 10 s, 262,144 table elements, 1024
/// instances, 1 MiB of stack.
///
/// Tables are for functions, of which kernels have some hundred; one instruction fills or copies so many elements in less
/// than a tick.
const CEILING: ResourceLimits = ResourceLimits {
    max_memory_pages: 65_536,
    max_epoch_ticks: 1000,
    max_table_elements: 1 << 18,
    max_instances: 1024,
    max_stack_bytes: 1 << 20,
};

/// Instances that the bindings of a kernel may have unless a builder says otherwise: 4 TiB of address space, of which a
/// process on the machines at hand has 128 TiB at least.
const MAX_BINDINGS: u32 = 1024;

/// Configures a [`Runtime`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RuntimeBuilder {
    keys: Vec<PublicKey>,
    native_keys: Vec<PublicKey>,
    trust_store: TrustStore,
    ceiling: ResourceLimits,
    pool: PoolPolicy,
    max_bindings: u32,
    cache: Option<PathBuf>,
    cache_limit: u64,
    interruption: Interruption,
    threads: NonZeroUsize,
    recovery: Settings,
    engine: EngineChoice,
}

impl RuntimeBuilder {
    fn new(engine: EngineChoice) -> Self {
        Self {
            keys: Vec::new(),
            native_keys: Vec::new(),
            trust_store: TrustStore::default(),
            ceiling: CEILING,
            pool: PoolPolicy::default(),
            max_bindings: MAX_BINDINGS,
            cache: None,
            cache_limit: DEFAULT_LIMIT,
            interruption: engine.best_interruption(),
            threads: NonZeroUsize::MIN,
            recovery: Settings::default(),
            engine,
        }
    }

    /// Trusts packs that this key signed; can be said several times. Keys that expire or may be revoked one day are better
    /// kept in a [trust store](Self::trust_store).
    pub fn trust(mut self, key: PublicKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Trusts packs that this key signed, and the native code in them: what [`trust`](Self::trust) grants does not
    /// include that, since no sandbox holds it. Of a key in the trust store, the store says what it is trusted for.
    pub fn trust_native(mut self, key: PublicKey) -> Self {
        self.native_keys.push(key);
        self.trust(key)
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

    /// Gives WAMR a pool of so many bytes, 256 KiB unless given, out of which come modules, instances, their stacks and
    /// their linear memory; for [`Runtime::embedded`] only, others have no use for it.
    ///
    /// WAMR's runtime is one for the process, and so is the pool: it is there from the first such runtime that is built
    /// until the last one, with its packs and kernels, is dropped, and all of them share it. [`build`](Self::build)
    /// refuses another size meanwhile. It is one piece of address space; what was never used takes no memory on systems
    /// that provide it at first use.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    pub fn with_pool(mut self, bytes: usize) -> Self {
        self.engine = self.engine.with_wamr(|wamr| wamr.pool = bytes);
        self
    }

    /// Whether WAMR runs native code or interprets modules; [`Execution::default`] unless given. For
    /// [`Runtime::embedded`] only, others have no use for it.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    pub fn execution(mut self, execution: Execution) -> Self {
        self.engine = self.engine.with_wamr(|wamr| wamr.execution = Some(execution));
        self
    }

    /// Compiles kernels to native code when a pack is opened, where the pack has none that its signer may vouch for; nothing
    /// is compiled unless asked for. For [`Runtime::embedded`] only, others have no use for it.
    ///
    /// The compiler is a program that runs in a process of its own, given the module that was verified and nothing else,
    /// with an empty environment, and within limits. Since the host makes the code itself, with checks of memory accesses,
    /// stack and termination, the pack's signer needs no grant for it. It is kept in the
    /// [compile cache](Self::compile_cache), if the runtime has one: what is there can be used without the compiler, too.
    /// Without a cache, each opening compiles anew, which takes a second a kernel or so. [`build`](Self::build) asks the
    /// compiler what it is, for which that loads LLVM.
    ///
    /// It goes by [`execution`](Self::execution): nothing is compiled with [`Execution::Interpreted`], and modules that
    /// cannot be had as native code are interpreted where that is allowed, else refused.
    ///
    /// # Example: untrusted for native code, and yet not interpreted
    /// ```no_run
    /// use kernelpack_host::{NativeCompiler, PublicKey, Runtime};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = PublicKey::from_pem(&std::fs::read_to_string("release.pub")?)?;
    /// let runtime = Runtime::embedded().trust(key).compile_native(NativeCompiler::find()).build()?;
    /// let pack = runtime.open("kernel-pack-v1.0.0")?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "wamr-compile")]
    pub fn compile_native(mut self, compiler: NativeCompiler) -> Self {
        self.engine = self.engine.with_wamr(|wamr| wamr.compiler = Some(compiler));
        self
    }

    /// Gives each instance a stack of so many bytes, 32 KiB unless given, or of the `max_stack_bytes` that hold for it
    /// where those are fewer; for [`Runtime::embedded`] only, others have no use for it.
    #[cfg(any(feature = "wamr", feature = "wamr-aot"))]
    pub fn stack_bytes(mut self, bytes: u32) -> Self {
        self.engine = self.engine.with_wamr(|wamr| wamr.stack = bytes);
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

    /// Lets no instance have more table elements than this, whatever a manifest says; 262,144 unless given.
    ///
    /// One instruction works on as many, and calls are not stopped within it: ten million take up to 0.3 s.
    pub fn max_table_elements(mut self, elements: u32) -> Self {
        self.ceiling.max_table_elements = elements;
        self
    }

    /// Lets no kernel have more than this many instances at once, those of bindings aside, whatever a manifest or the pool's
    /// policy says; 1024 unless given.
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

    /// Lets the bindings of no kernel have more instances than this at once, one for each binding, or for each part of a
    /// divided one; 1024 unless given. They do not count among the kernel's other instances. One more fails at once with
    /// [`EngineError::TooManyBindings`].
    pub fn max_bindings(mut self, instances: u32) -> Self {
        self.max_bindings = instances;
        self
    }

    /// How the instances of each kernel are kept, and what a call does when all are busy.
    pub fn pool(mut self, policy: PoolPolicy) -> Self {
        self.pool = policy;
        self
    }

    /// Keeps compiled code in this folder, so that packs open faster the next time; nothing is kept unless asked for.
    ///
    /// What comes out of the folder runs outside of the sandbox, so it must be this user's alone: one that belongs to
    /// somebody else, that others can write to, or that is a link, is refused by [`build`](Self::build). It is made
    /// with mode 0700 if there is none. Code is taken from it only if it was sealed there by this user's own process,
    /// for the module's signed SHA-256 and for an engine with the same version, configuration and processor features;
    /// else the module is compiled, and the entry replaced. Any number of processes can share the folder, and it can
    /// be emptied at any time. Opening packs never fails because of it; [`Pack::cache_outcomes`] and
    /// [`Runtime::open_with`] tell what was found.
    pub fn compile_cache(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cache = Some(dir.into());
        self
    }

    /// Lets the compile cache hold so many bytes, 512 MiB unless given; beyond it, what was not used for longest goes.
    pub fn compile_cache_limit(mut self, bytes: u64) -> Self {
        self.cache_limit = bytes;
        self
    }

    /// How calls are stopped that overrun their budget; [`Interruption::PageProtection`] unless given, where this machine
    /// can do it.
    pub fn interruption(mut self, interruption: Interruption) -> Self {
        self.interruption = interruption;
        self
    }

    /// Divides each [bound](crate::TypedKernel::bind) call over so many threads, the calling one among them; one unless
    /// given. Where the system does not give as many, over those that it gives; in a forked child, over none but its own.
    ///
    /// A call is divided by ranges of the leading axis of its tensors, if the kernel's author named that axis with
    /// `split`, all tensors are mapped, and they have 256 KiB or more. Each range has an instance of its own, which counts
    /// towards [`max_bindings`](Self::max_bindings); all see the same tensors. Results are those of the whole call.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// When calls that fail are run again on a kernel's reference; [`FallbackPolicy::OnTrap`] unless given.
    pub fn fallback(mut self, policy: FallbackPolicy) -> Self {
        self.recovery.fallback = policy;
        self
    }

    /// Makes a native function the reference of the kernel whose id, reference name and signatures it has, whatever
    /// crate it is from; can be said several times, and goes before what is merely compiled in.
    ///
    /// The manifest must still name the reference: a pack without `fallbacks` has none. So must the function give what
    /// the pack's health vectors expect; where a kernel has none, that it was given here is enough.
    pub fn reference(mut self, kernel: NativeKernel) -> Self {
        self.recovery.references.push(kernel);
        self
    }

    /// When a kernel that keeps failing is taken out of service; after ten failures in a row for 30 seconds unless
    /// given.
    pub fn breaker(mut self, policy: BreakerPolicy) -> Self {
        self.recovery.breaker = policy;
        self
    }

    /// Where the kernel with this id runs, in whatever pack it comes; [`Placement::Sandboxed`] unless given.
    ///
    /// [`Placement::Native`] gives up the sandbox: the pack's module is verified as ever, but what runs is the code
    /// that is compiled into this program. Loading a pack fails if it is asked for and there is no reference that gives
    /// what the pack's health vectors expect.
    pub fn placement(mut self, kernel: impl Into<String>, placement: Placement) -> Self {
        self.recovery.placements.insert(kernel.into(), placement);
        self
    }

    /// Whether packs report to the recorder of the `metrics` facade that is installed when they are loaded; they do
    /// unless told otherwise. The crate's documentation lists what is reported.
    pub fn metrics(mut self, on: bool) -> Self {
        self.recovery.metrics = on;
        self
    }

    /// Starts the engine.
    ///
    /// # Errors
    /// A limit is below what any kernel needs, the engine refuses its configuration or this machine's processor, its
    /// thread cannot be started, the folder of the compile cache is not one that only this user can write to, or the
    /// compiler of native code is not there or does not work.
    pub fn build(self) -> Result<Runtime, Error> {
        let least_stack = ResourceLimits::LEAST_STACK;
        for (what, given, least) in [
            ("max_instances", self.ceiling.max_instances, 1),
            ("the size of the pool", self.pool.size, 1),
            ("max_bindings", self.max_bindings, 1),
            ("max_stack_bytes", self.ceiling.max_stack_bytes, least_stack),
        ] {
            if given < least {
                return Err(EngineError::Configure(format!("{what} is {given}, choose at least {least}")).into());
            }
        }
        let cache = self.cache.map(|dir| CompileCache::open(&dir, self.cache_limit)).transpose();
        let cache = cache.map_err(EngineError::from)?.map(Arc::new);
        let engine = self.engine.start(cache, self.interruption)?;
        let cores = Cores::new(self.threads);
        let compatibility = CompatibilityChecker {
            runtime_version: Runtime::version(),
            engine: engine.name().to_owned(),
            engine_version: engine.version(),
            features: engine.features().into_iter().map(str::to_owned).collect(),
        };
        let verifier = KernelPackVerifier::new(self.keys).with_native_keys(self.native_keys);
        let verifier = verifier.with_trust_store(self.trust_store);
        Ok(Runtime {
            engine,
            verifier: Arc::new(RwLock::new(Arc::new(verifier))),
            compatibility: Arc::new(compatibility),
            ceiling: self.ceiling,
            shares: Shares {
                pool: self.pool,
                max_bindings: self.max_bindings,
                cores: cores.map(Arc::new),
                neighbours: Arc::default(),
            },
            recovery: Arc::new(self.recovery),
        })
    }
}
