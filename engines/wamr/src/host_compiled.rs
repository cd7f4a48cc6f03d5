//! Native code that this host compiles itself: from verified modules, by the compiler that the engine's developer named,
//! and out of the compile cache where that has it.
//!
//! Nobody can tell by looking at native code that it stays in its sandbox. What leaves this file is therefore [`HostCompiled`],
//! which is made in two ways only: of what the compiler's process made just now of a [`VerifiedModule`], or of an entry
//! that a process of this user's sealed in the cache, for the same module and the same compiler, when it was in that place.

use std::{env::consts::ARCH, path::PathBuf};

use kernelpack_compile_cache::{CacheOutcome, CompileCache, EntryFault, Fingerprint, Key, TrustedArtifact};
use kernelpack_engine::{CompileError, StartError};
use kernelpack_manifest::{AOT_FORMAT, AotFacts, AotTarget, Digest, VerifiedModule};
use kernelpack_wamr_driver::{Compiled, Compiler, CompilerError};
use semver::Version;

use crate::{NativeCompiler, Wamr};

/// Native code that this host compiled.
#[derive(Debug)]
pub(crate) struct HostCompiled(Origin);

#[derive(Debug)]
enum Origin {
    /// Just now.
    Made(Compiled),
    /// Some time ago.
    Kept(TrustedArtifact),
}

impl HostCompiled {
    /// The file.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Origin::Made(compiled) => compiled.bytes(),
            Origin::Kept(artifact) => artifact.code(),
        }
    }
}

/// Compiles for this machine and this engine.
#[derive(Debug)]
pub(crate) struct HostCompiler {
    /// The program, or where there is none: what the cache has needs none.
    compiler: Result<Compiler, PathBuf>,
    target: AotTarget,
    engine: Version,
    /// Of all that code depends on besides the module.
    fingerprint: Fingerprint,
    cache: Option<CompileCache>,
}

impl HostCompiler {
    /// The compiler that the settings name; none if nothing is to be compiled.
    pub(crate) fn for_settings(settings: &Wamr, engine: &Version) -> Result<Option<Self>, StartError> {
        // A cache that cannot be used is an error even where nothing is compiled.
        let cache = settings.cache.as_ref().map(|dir| CompileCache::open(dir, settings.cache_limit)).transpose()?;
        match &settings.compiler {
            Some(named) if settings.execution.runs_native() => Self::new(named, engine.clone(), cache).map(Some),
            _ => Ok(None),
        }
    }

    /// Asks the compiler for its version. A missing compiler is not an error if the cache knows its version.
    fn new(named: &NativeCompiler, engine: Version, cache: Option<CompileCache>) -> Result<Self, StartError> {
        let target = AotTarget::of_this_machine().ok_or_else(|| {
            let known = AotTarget::ALL.map(AotTarget::name).join(", ");
            let told = "native code cannot be compiled for this machine";
            StartError::Settings(format!("{told} ({ARCH}), only for {known}; x86_64 must have SSE4.2"))
        })?;
        let memo = Memo { cache: cache.as_ref(), key: Memo::key(named, &engine) };
        let (compiler, identity) = match named.locate() {
            Ok(compiler) => {
                if *compiler.wamr() != engine {
                    let found = compiler.wamr();
                    let told = format!("the compiler makes native code for WAMR {found}, this program has {engine}");
                    return Err(StartError::Settings(told));
                }
                memo.keep(compiler.identity());
                let identity = compiler.identity().to_owned();
                (Ok(compiler), identity)
            }
            Err(CompilerError::NoCompiler { program }) => match memo.recall() {
                Some(identity) => (Err(program), identity),
                None => return Err(StartError::Compiler(Box::new(CompilerError::NoCompiler { program }))),
            },
            Err(error) => return Err(StartError::Compiler(Box::new(error))),
        };
        let fingerprint = Fingerprint::new("wamr", &engine, (target.name(), AOT_FORMAT, identity));
        Ok(Self { compiler, target, engine, fingerprint, cache })
    }

    /// The native code of a module, and what the cache had to do with it.
    pub(crate) fn code(&self, module: &VerifiedModule) -> Result<(HostCompiled, CacheOutcome), CompileError> {
        let Some(cache) = &self.cache else { return Ok((self.compile(module)?, CacheOutcome::Off)) };
        let key = Key::new(module, self.fingerprint);
        let fault = match cache.load(&key) {
            Ok(Some(artifact)) => match self.unseal(artifact, module) {
                Some(code) => return Ok((code, CacheOutcome::Hit)),
                None => Some(EntryFault::RefusedByEngine),
            },
            Ok(None) => None,
            Err(fault) => Some(fault),
        };
        let code = self.compile(module)?;
        let stored = cache.store(&key, code.bytes());
        Ok((code, CacheOutcome::of_store(stored, fault)))
    }

    /// What the compiler makes of a module, whose record the driver has held against what was asked for.
    fn compile(&self, module: &VerifiedModule) -> Result<HostCompiled, CompileError> {
        let failed = |error: CompilerError| CompileError::Compiler(Box::new(error));
        let missing = |program: &PathBuf| failed(CompilerError::NoCompiler { program: program.clone() });
        let compiler = self.compiler.as_ref().map_err(missing)?;
        let compiled = compiler.compile(&module.spec().id, self.target, module.bytes()).map_err(failed)?;
        Ok(HostCompiled(Origin::Made(compiled)))
    }

    /// The code in an entry of the cache, if it is for this engine and says that it is of this module.
    fn unseal(&self, artifact: TrustedArtifact, module: &VerifiedModule) -> Option<HostCompiled> {
        let record = AotFacts::read(artifact.code()).ok()?.record;
        let (target, source, version) = (self.target, Digest(module.hash()), &self.engine);
        let is_it = record.target == target && record.source == source && record.version == *version;
        (is_it && artifact.key().is_for(self.fingerprint)).then_some(HostCompiled(Origin::Kept(artifact)))
    }
}

/// Whether it is the module that is not taken, by the compiler or as native code, and not the compiler that does not work.
pub(crate) fn is_of_the_module(error: &CompileError) -> bool {
    match error {
        CompileError::Compiler(error) => {
            matches!(error.downcast_ref(), Some(CompilerError::Refused { .. }))
        }
        error => matches!(error, CompileError::Refused(_)),
    }
}

/// What a compiler said of itself when it was there, sealed in the cache. Its key is none that code has.
struct Memo<'a> {
    cache: Option<&'a CompileCache>,
    key: Key,
}

impl Memo<'_> {
    fn key(named: &NativeCompiler, engine: &Version) -> Key {
        Key::of(Digest::of(named.name()).0, Fingerprint::new("kernelpack-wamrc", engine, ()))
    }

    fn recall(&self) -> Option<String> {
        let artifact = self.cache?.load(&self.key).ok()??;
        String::from_utf8(artifact.code().to_vec()).ok()
    }

    fn keep(&self, identity: &str) {
        if let Some(cache) = self.cache
            && self.recall().as_deref() != Some(identity)
        {
            // A cache that takes nothing is told of where code is stored.
            let _ = cache.store(&self.key, identity.as_bytes());
        }
    }
}
