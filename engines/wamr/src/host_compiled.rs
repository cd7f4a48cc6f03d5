//! Native code that this host compiles from verified modules, with the compiler that the engine's developer named, or
//! takes from the compile cache.
//!
//! Native code cannot be checked for staying in its sandbox. So it leaves this file only as [`HostCompiled`], which is
//! made in two ways only: from what the compiler's process just made from a [`VerifiedModule`], or from a cache entry
//! that a process of this user sealed in the same situation, for the same module and the same compiler.

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
    /// Compiled just now.
    Made(Compiled),
    /// Taken from the cache.
    Kept(TrustedArtifact),
}

impl HostCompiled {
    /// Returns the file's content.
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
    /// The program, or the path where it is missing: cached code needs no compiler.
    compiler: Result<Compiler, PathBuf>,
    target: AotTarget,
    engine: Version,
    /// Identifies everything that code depends on besides the module.
    fingerprint: Fingerprint,
    cache: Option<CompileCache>,
}

impl HostCompiler {
    /// Returns the compiler that the settings name; `None` if nothing is to be compiled.
    pub(crate) fn for_settings(settings: &Wamr, engine: &Version) -> Result<Option<Self>, StartError> {
        // A cache that cannot be used is an error even if nothing is compiled.
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

    /// Returns the native code of a module, and what the cache did for it.
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

    /// Compiles the module; the driver has compared the output's record with the request.
    fn compile(&self, module: &VerifiedModule) -> Result<HostCompiled, CompileError> {
        let failed = |error: CompilerError| match error {
            error if error.is_shortage() => CompileError::OutOfMemory(error.to_string()),
            CompilerError::NoCompiler { .. }
            | CompilerError::NoLlvm { .. }
            | CompilerError::NotTheCompiler { .. }
            | CompilerError::Run { .. }
            | CompilerError::Folder { .. } => CompileError::NoCompiler(Box::new(error)),
            _ => CompileError::Compiler(Box::new(error)),
        };
        let missing = |program: &PathBuf| failed(CompilerError::NoCompiler { program: program.clone() });
        let compiler = self.compiler.as_ref().map_err(missing)?;
        let compiled = compiler.compile(&module.spec().id, self.target, module.bytes()).map_err(failed)?;
        Ok(HostCompiled(Origin::Made(compiled)))
    }

    /// Returns the code in a cache entry, if it is for this engine and its record names this module.
    fn unseal(&self, artifact: TrustedArtifact, module: &VerifiedModule) -> Option<HostCompiled> {
        let record = AotFacts::read(artifact.code()).ok()?.record;
        let (target, source, version) = (self.target, Digest(module.hash()), &self.engine);
        let is_it = record.target == target && record.source == source && record.version == *version;
        (is_it && artifact.key().is_for(self.fingerprint)).then_some(HostCompiled(Origin::Kept(artifact)))
    }
}

/// Returns whether the error concerns only this module, because the compiler or the engine rejects it or the pool has
/// no room for its native code, rather than a compiler that does not work.
pub(crate) fn is_of_the_module(error: &CompileError) -> bool {
    match error {
        CompileError::Compiler(error) => {
            matches!(error.downcast_ref(), Some(CompilerError::Refused { .. }))
        }
        // Native code takes more of the pool than the module does, so only this form may lack memory.
        error => matches!(error, CompileError::Refused(_) | CompileError::OutOfMemory(_)),
    }
}

/// The compiler's description of itself, kept in the cache so that cached code can be used without the compiler. Its
/// key differs from that of any code.
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
            // A cache that cannot be written to is reported when code is stored.
            let _ = cache.store(&self.key, identity.as_bytes());
        }
    }
}
