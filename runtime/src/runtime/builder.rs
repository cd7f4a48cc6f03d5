//! How runtimes are configured.

use std::{
    num::NonZeroUsize,
    sync::{Arc, RwLock},
    time::Duration,
};

use kernelpack_abi::{ResourceLimits, native::NativeKernel};
use kernelpack_engine::{EngineSettings, ticks};
use kernelpack_manifest::{CompatibilityChecker, KernelPackVerifier, PublicKey, TrustStore};

use super::Runtime;
use crate::{
    BreakerPolicy, EngineError, Error, FallbackPolicy, Placement, PoolPolicy, loaded::Shares, recovery,
    workers::Workers,
};

/// What a runtime allows at most, unless its engine or its builder says otherwise: 4 GiB, 10 s, 262,144 table elements, 1024
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
    /// Unless given, the engine's.
    max_budget: Option<Duration>,
    pool: PoolPolicy,
    max_bindings: u32,
    threads: NonZeroUsize,
    recovery: recovery::Settings,
    engine: Arc<dyn EngineSettings>,
}

impl RuntimeBuilder {
    pub(super) fn new(engine: Arc<dyn EngineSettings>) -> Self {
        Self {
            keys: Vec::new(),
            native_keys: Vec::new(),
            trust_store: TrustStore::default(),
            ceiling: CEILING,
            max_budget: None,
            pool: PoolPolicy::default(),
            max_bindings: MAX_BINDINGS,
            threads: NonZeroUsize::MIN,
            recovery: recovery::Settings::default(),
            engine,
        }
    }

    /// Replaces the engine and keeps all else.
    pub fn engine(mut self, engine: impl EngineSettings + 'static) -> Self {
        self.engine = Arc::new(engine);
        self
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

    /// Lets no call run longer than this, whatever a manifest says. The default is the engine's: 10 s with Wasmtime,
    /// 100 ms with WAMR.
    ///
    /// Engines count in ticks of 10 ms: the budget is rounded up to whole ticks, and a call is stopped within two ticks
    /// after its budget is over.
    pub fn max_budget(mut self, budget: Duration) -> Self {
        self.max_budget = Some(budget);
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
            ("the size of the pool", self.pool.size.unwrap_or(u32::MAX), 1),
            ("max_bindings", self.max_bindings, 1),
            ("max_stack_bytes", self.ceiling.max_stack_bytes, least_stack),
        ] {
            if given < least {
                return Err(EngineError::Configure(format!("{what} is {given}; choose at least {least}")).into());
            }
        }
        let budget = self.max_budget.unwrap_or_else(|| self.engine.default_budget());
        let ceiling = ResourceLimits { max_epoch_ticks: ticks(budget), ..self.ceiling };
        let engine = self.engine.start()?;
        let workers = Workers::new(self.threads);
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
            ceiling,
            shares: Shares {
                pool: self.pool,
                max_bindings: self.max_bindings,
                workers: workers.map(Arc::new),
                neighbours: Arc::default(),
            },
            recovery: Arc::new(self.recovery),
        })
    }
}
