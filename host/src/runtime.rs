//! Runtimes: an engine with the keys that it trusts.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use kernelpack_abi::ResourceLimits;
use kernelpack_manifest::{CompatibilityChecker, KernelPackVerifier, Manifest, PublicKey};
use semver::Version;

use crate::{
    EngineError, Error, LoadEvent, Pack,
    cache::{CompileCache, DEFAULT_LIMIT},
    engine::{Engine, WasmtimeEngine},
    loaded::{LoadedKernel, Origin},
    pack::VerifiedPack,
    parallel,
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
}

impl Runtime {
    /// A runtime for servers: Wasmtime with Cranelift, SIMD and epoch interruption.
    pub fn server() -> RuntimeBuilder {
        RuntimeBuilder { keys: Vec::new(), ceiling: CEILING, cache: None, cache_limit: DEFAULT_LIMIT }
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
        self.open_with(dir, |_| ())
    }

    /// The same, with word of each module as its code is made.
    ///
    /// Several modules are compiled at once: `progress` is called by several threads and should not take long.
    ///
    /// # Errors
    /// As [`open`](Self::open); of several modules that do not compile, the first in the manifest's order.
    pub fn open_with(&self, dir: impl AsRef<Path>, progress: impl Fn(LoadEvent<'_>) + Sync) -> Result<Pack, Error> {
        // Version bounds come before the modules: a pack for another runtime is told so, not that it is malformed.
        let fits = |manifest: &Manifest| Ok(self.compatibility.check(manifest).into_result()?);
        self.load_with(VerifiedPack::open_if(dir.as_ref(), &self.verifier, fits)?, progress)
    }

    /// Checks that a verified pack fits, and compiles it.
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
    pub fn load_with(&self, pack: VerifiedPack, progress: impl Fn(LoadEvent<'_>) + Sync) -> Result<Pack, Error> {
        let signed = pack.signed_manifest();
        let manifest = signed.manifest();
        pack.check_compatibility(&self.compatibility)?;
        let origin = Arc::new(Origin { pack: manifest.name.as_str().into(), version: manifest.version.clone() });
        let total = pack.modules().len();
        let kernels = parallel::map(pack.modules(), |index, module| {
            let kernel = module.spec().id.as_str();
            progress(LoadEvent::Started { kernel, index, total });
            let loaded = LoadedKernel::compile(&self.engine, module, origin.clone(), self.ceiling)?;
            progress(LoadEvent::Finished { kernel, index, total, cache: loaded.cache_outcome() });
            Ok::<_, Error>((kernel.to_owned(), Arc::new(loaded)))
        })?;
        Ok(Pack::new(manifest.clone(), *signed.signed_by(), kernels.into_iter().collect()))
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
    cache: Option<PathBuf>,
    cache_limit: u64,
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

    /// Starts the engine.
    ///
    /// # Errors
    /// The engine refuses its configuration or this machine's processor, its thread cannot be started, or the folder of
    /// the compile cache is not one that only this user can write to.
    pub fn build(self) -> Result<Runtime, Error> {
        let cache = self.cache.map(|dir| CompileCache::open(&dir, self.cache_limit)).transpose();
        let cache = cache.map_err(EngineError::from)?.map(Arc::new);
        let engine: Arc<dyn Engine> = Arc::new(WasmtimeEngine::new(cache)?);
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
        })
    }
}
