//! Runtimes: an engine with the keys that it trusts.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use kernelpack_abi::{ResourceLimits, native::NativeKernel};
use kernelpack_manifest::{CompatibilityChecker, KernelPackVerifier, Manifest, PublicKey};
use semver::Version;

use crate::{
    BreakerPolicy, Error, FallbackPolicy, Pack, Placement,
    engine::{Engine, WasmtimeEngine},
    loaded::{LoadedKernel, Origin},
    pack::VerifiedPack,
    recovery::{self, Settings},
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
    recovery: Arc<Settings>,
}

impl Runtime {
    /// A runtime for servers: Wasmtime with Cranelift, SIMD and epoch interruption.
    pub fn server() -> RuntimeBuilder {
        RuntimeBuilder { keys: Vec::new(), ceiling: CEILING, recovery: Settings::default() }
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
        if self.recovery.metrics {
            recovery::describe();
        }
        let origin = Arc::new(Origin::new(&manifest.name, &manifest.version, &self.recovery));
        let kernels = pack
            .modules()
            .iter()
            .map(|module| {
                let kernel = LoadedKernel::compile(&self.engine, module, origin.clone(), self.ceiling, &self.recovery)?;
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

/// What a runtime allows at most, unless its builder says otherwise: 4 GiB, 10 s, ten million table elements.
const CEILING: ResourceLimits =
    ResourceLimits { max_memory_pages: 65_536, max_epoch_ticks: 1000, max_table_elements: 10_000_000 };

/// Configures a [`Runtime`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RuntimeBuilder {
    keys: Vec<PublicKey>,
    ceiling: ResourceLimits,
    recovery: Settings,
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

    /// When calls that fail are run again on a kernel's reference; [`FallbackPolicy::OnTrap`] unless given.
    pub fn fallback(mut self, policy: FallbackPolicy) -> Self {
        self.recovery.fallback = policy;
        self
    }

    /// Makes a native function the reference of the kernel whose id, reference name and signatures it has, whatever
    /// crate it is from; can be said several times, and goes before what is merely compiled in.
    ///
    /// The manifest must still name the reference: a pack without `fallbacks` has none.
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
    /// that is compiled into this program. Loading a pack fails if it is asked for and there is no reference.
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
    /// The engine refuses its configuration, or its thread cannot be started.
    pub fn build(self) -> Result<Runtime, Error> {
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
            recovery: Arc::new(self.recovery),
        })
    }
}
