//! The configuration of runtimes.

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
    BreakerPolicy, ConfigError, Error, FallbackPolicy, Placement, PoolPolicy, loaded::Shares, recovery,
    workers::Workers,
};

/// The limits of a runtime, unless its engine or its builder sets others: 4 GiB, 10 s, 262,144 table elements, 1024
/// instances, 1 MiB of stack.
///
/// Tables hold functions, of which a kernel has a few hundred. One instruction can fill or copy this many elements in
/// less than a tick.
const CEILING: ResourceLimits = ResourceLimits {
    max_memory_pages: 65_536,
    max_epoch_ticks: 1000,
    max_table_elements: 1 << 18,
    max_instances: 1024,
    max_stack_bytes: 1 << 20,
};

/// The number of instances that the bindings of a kernel may have, unless a builder says otherwise. These instances
/// take 4 TiB of address space, of which a process has at least 128 TiB on supported machines.
const MAX_BINDINGS: u32 = 1024;

/// Configures a [`Runtime`].
///
/// # Example: a server that gives no call more than a second
/// ```no_run
/// use std::time::Duration;
///
/// use kernelpack_host::{PublicKey, Runtime, policy::{FallbackPolicy, PoolPolicy}};
///
/// fn start(key: PublicKey) -> Result<Runtime, kernelpack_host::Error> {
///     Runtime::server()
///         .trust(key)
///         .max_budget(Duration::from_secs(1))
///         .max_memory_pages(1024)
///         .pool(PoolPolicy::new().size(8))
///         .fallback(FallbackPolicy::Never)
///         .build()
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RuntimeBuilder {
    keys: Vec<PublicKey>,
    native_keys: Vec<PublicKey>,
    trust_store: TrustStore,
    ceiling: ResourceLimits,
    /// `None` for the engine's default.
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

    /// Replaces the engine and keeps all other settings.
    pub fn engine(mut self, engine: impl EngineSettings + 'static) -> Self {
        self.engine = Arc::new(engine);
        self
    }

    /// Trusts packs that this key signed; may be called several times. Keep keys that expire or may be revoked in a
    /// [trust store](Self::trust_store).
    pub fn trust(mut self, key: PublicKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Trusts packs that this key signed, including the native code in them, which no sandbox contains;
    /// [`trust`](Self::trust) does not include native code. If the trust store has the key, the store decides.
    pub fn trust_native(mut self, key: PublicKey) -> Self {
        self.native_keys.push(key);
        self.trust(key)
    }

    /// Trusts packs that a key of this store signed, as long as the key is neither expired nor revoked. If this is
    /// called several times, the last store counts. What the store says about a key also applies if the key was given
    /// to [`trust`](Self::trust).
    ///
    /// [`read_trust_store`](crate::read_trust_store) reads a store from a file, and [`Runtime::replace_trust_store`]
    /// replaces it while the runtime is in use.
    pub fn trust_store(mut self, store: TrustStore) -> Self {
        self.trust_store = store;
        self
    }

    /// Limits each call to this much time, whatever a manifest says. The default depends on the engine: 10 s with
    /// Wasmtime, 100 ms with WAMR.
    ///
    /// Engines count in ticks of 10 ms: the budget is rounded up to whole ticks, and a call is stopped within two ticks
    /// after its budget is over.
    pub fn max_budget(mut self, budget: Duration) -> Self {
        self.max_budget = Some(budget);
        self
    }

    /// Limits each instance to this many pages of 64 KiB, whatever a manifest says; 65536 by default.
    pub fn max_memory_pages(mut self, pages: u32) -> Self {
        self.ceiling.max_memory_pages = pages;
        self
    }

    /// Limits each instance to this many table elements, whatever a manifest says; 262,144 by default.
    ///
    /// One instruction can process all elements of a table, and a call cannot be stopped within an instruction: ten
    /// million elements take up to 0.3 s.
    pub fn max_table_elements(mut self, elements: u32) -> Self {
        self.ceiling.max_table_elements = elements;
        self
    }

    /// Limits each kernel to this many instances at once, not counting those of bindings, whatever a manifest or the
    /// pool's policy says; 1024 by default.
    pub fn max_instances(mut self, instances: u32) -> Self {
        self.ceiling.max_instances = instances;
        self
    }

    /// Limits each call to this many bytes of stack, whatever a manifest says; 1 MiB by default, and at least 64 KiB.
    ///
    /// If the calling thread has less stack left than the kernel may use plus 128 KiB, each call gets a stack of its
    /// own, so that a kernel cannot overflow its caller's stack. The system reports how much is left. Programs that
    /// switch stacks themselves, as with stackful coroutines, must provide enough room.
    pub fn max_stack_bytes(mut self, bytes: u32) -> Self {
        self.ceiling.max_stack_bytes = bytes;
        self
    }

    /// Limits the bindings of each kernel to this many instances at once; 1024 by default. Each binding takes one
    /// instance, or one for each part of a divided call, and these do not count towards
    /// [`max_instances`](Self::max_instances). A binding beyond the limit fails at once with
    /// [`ResourceError::TooManyBindings`](crate::ResourceError::TooManyBindings).
    pub fn max_bindings(mut self, instances: u32) -> Self {
        self.max_bindings = instances;
        self
    }

    /// Sets how many instances of each kernel are kept, and what a call does when all are busy.
    pub fn pool(mut self, policy: PoolPolicy) -> Self {
        self.pool = policy;
        self
    }

    /// Divides each [bound](crate::TypedKernel::bind) call over this many threads, including the calling one; 1 by
    /// default. If the system cannot start as many, fewer are used. A forked child uses only the calling thread.
    ///
    /// A call is divided into ranges of the leading axis of its tensors, if the kernel's author named that axis with
    /// `split`, all tensors are mapped, and the divided ones have 256 KiB or more. Each range has an instance of its
    /// own, which counts towards [`max_bindings`](Self::max_bindings). The results are those of an undivided call.
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets which failed calls are run again on a kernel's reference; [`FallbackPolicy::OnTrap`] by default.
    pub fn fallback(mut self, policy: FallbackPolicy) -> Self {
        self.recovery.fallback = policy;
        self
    }

    /// Makes a native function the reference of the kernel with its id, reference name and signatures, whatever crate
    /// the function is from. May be called several times; references given here come before those that are just
    /// compiled in.
    ///
    /// The manifest must still name the reference in `fallbacks`, and the function must return what the pack's health
    /// vectors expect. If a kernel has no vectors, the function is used without such a check.
    pub fn reference(mut self, kernel: NativeKernel) -> Self {
        self.recovery.references.push(kernel);
        self
    }

    /// Sets when a kernel that keeps failing is taken out of service. By default, ten failures in a row take it out for
    /// 30 seconds.
    pub fn breaker(mut self, policy: BreakerPolicy) -> Self {
        self.recovery.breaker = policy;
        self
    }

    /// Sets where the kernel with this id runs, whatever pack it is in; [`Placement::Sandboxed`] by default.
    ///
    /// [`Placement::Native`] gives up the sandbox: the pack's module is still verified, but the code that runs is the
    /// reference compiled into this program. Loading a pack fails if such a kernel has no reference that returns what
    /// the pack's health vectors expect.
    pub fn placement(mut self, kernel: impl Into<String>, placement: Placement) -> Self {
        self.recovery.placements.insert(kernel.into(), placement);
        self
    }

    /// Turns metrics on or off; on by default. A pack reports to the recorder of the `metrics` facade that is installed
    /// when the pack is loaded. The crate's documentation lists the metrics.
    pub fn metrics(mut self, on: bool) -> Self {
        self.recovery.metrics = on;
        self
    }

    /// Starts the engine.
    ///
    /// # Errors
    /// A limit is too low for any kernel; the engine refuses its configuration or this machine's processor; its thread
    /// cannot be started; other users can write to the folder of the compile cache; or the compiler of native code is
    /// missing or does not work.
    pub fn build(self) -> Result<Runtime, Error> {
        let least_stack = ResourceLimits::LEAST_STACK;
        for (what, given, least) in [
            ("max_instances", self.ceiling.max_instances, 1),
            ("the size of the pool", self.pool.size.unwrap_or(u32::MAX), 1),
            ("max_bindings", self.max_bindings, 1),
            ("max_stack_bytes", self.ceiling.max_stack_bytes, least_stack),
        ] {
            if given < least {
                return Err(ConfigError::TooSmall { what, given, least }.into());
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
