//! Runtimes: an engine with the keys that it trusts.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use kernelpack_abi::ResourceLimits;
use kernelpack_manifest::{CompatibilityChecker, KernelPackVerifier, Manifest, PublicKey};
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
    verifier: Arc<KernelPackVerifier>,
    compatibility: Arc<CompatibilityChecker>,
    ceiling: ResourceLimits,
    pool: PoolPolicy,
}

impl Runtime {
    /// A runtime for servers: Wasmtime with Cranelift, SIMD and epoch interruption.
    pub fn server() -> RuntimeBuilder {
        RuntimeBuilder { keys: Vec::new(), ceiling: CEILING, pool: PoolPolicy::default() }
    }

    /// The version that packs bound with `min_runtime_version` and `max_runtime_version`.
    pub fn version() -> Version {
        let part = |text: &str| text.parse().unwrap_or_default();
        Version::new(
            part(env!("CARGO_PKG_VERSION_MAJOR")),
            part(env!("CARGO_PKG_VERSION_MINOR")),
            part(env!("CARGO_PKG_VERSION_PATCH")),
        )
    }

    /// Verifies the pack in this folder, checks that it fits, and compiles it.
    ///
    /// # Errors
    /// [`Error::Rejected`] if anything about the pack is not in order, see [`VerifiedPack::open`];
    /// [`Error::Engine`] if a file cannot be read or a module does not compile.
    pub fn open(&self, dir: impl AsRef<Path>) -> Result<Pack, Error> {
        // Version bounds come before the modules: a pack for another runtime is told so, not that it is malformed.
        let fits = |manifest: &Manifest| Ok(self.compatibility.check(manifest).into_result()?);
        self.load(VerifiedPack::open_if(dir.as_ref(), &self.verifier, fits)?)
    }

    /// Checks that a verified pack fits, and compiles it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn load(&self, pack: VerifiedPack) -> Result<Pack, Error> {
        let signed = pack.signed_manifest();
        let manifest = signed.manifest();
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
        Ok(Pack::new(manifest.clone(), *signed.signed_by(), kernels))
    }

    /// What packs are measured against.
    pub fn compatibility(&self) -> &CompatibilityChecker {
        &self.compatibility
    }

    /// What judges signatures: the trusted keys.
    pub fn verifier(&self) -> &KernelPackVerifier {
        &self.verifier
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
    ceiling: ResourceLimits,
    pool: PoolPolicy,
}

impl RuntimeBuilder {
    /// Trusts packs that this key signed; can be said several times.
    pub fn trust(mut self, key: PublicKey) -> Self {
        self.keys.push(key);
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
        Ok(Runtime {
            engine,
            verifier: Arc::new(KernelPackVerifier::new(self.keys)),
            compatibility: Arc::new(compatibility),
            ceiling: self.ceiling,
            pool: self.pool,
        })
    }
}
