//! Gets the code of a verified module, from the cache or by compiling it.
//!
//! This takes `unsafe`: Wasmtime cannot distinguish code that it compiled from forged code, and runs either.
#![allow(unsafe_code, reason = "Wasmtime runs what it deserializes; the reason stands at the block")]

use kernelpack_compile_cache::{CacheOutcome, CompileCache, EntryFault, Fingerprint, Key, TrustedArtifact};
use kernelpack_engine::Interruption;
use kernelpack_interruptible::REVISION;
use kernelpack_manifest::VerifiedModule;
use wasmtime::{Engine, Module};

use crate::VERSION;

/// The result of looking up a module's code.
pub(super) enum Lookup<'a> {
    /// The code was in the cache.
    Found(Module),
    /// The code must be compiled.
    Missing(Vacancy<'a>),
}

/// The cache entry of code that must be compiled.
pub(super) struct Vacancy<'a> {
    engine: &'a Engine,
    place: Option<(&'a CompileCache, Key)>,
    fault: Option<EntryFault>,
}

/// Looks for the code of a module for this engine.
pub(super) fn look_up<'a>(
    engine: &'a Engine,
    interruption: Interruption,
    cache: Option<&'a CompileCache>,
    module: &VerifiedModule,
) -> Lookup<'a> {
    let Some(cache) = cache else { return Lookup::Missing(Vacancy { engine, place: None, fault: None }) };
    let key = Key::new(module, fingerprint(engine, interruption));
    let fault = match cache.load(&key) {
        Ok(Some(artifact)) => match deserialize(engine, interruption, &artifact) {
            Ok(module) => return Lookup::Found(module),
            Err(_) => Some(EntryFault::RefusedByEngine),
        },
        Ok(None) => None,
        Err(fault) => Some(fault),
    };
    Lookup::Missing(Vacancy { engine, place: Some((cache, key)), fault })
}

impl Vacancy<'_> {
    /// Compiles the module, given in the engine's form, which depends only on the module.
    pub(super) fn fill(self, wasm: &[u8]) -> wasmtime::Result<(Module, CacheOutcome)> {
        let Self { engine, place, fault } = self;
        let compiled = Module::from_binary(engine, wasm)?;
        let Some((cache, key)) = place else { return Ok((compiled, CacheOutcome::Off)) };
        // Stored under the key of the module that was just compiled, and of the engine that compiled it.
        let stored = compiled.serialize().map_err(std::io::Error::other).and_then(|code| cache.store(&key, &code));
        Ok((compiled, CacheOutcome::of_store(stored, fault)))
    }
}

/// Identifies everything that this engine's code depends on besides the module. The rewriting depends on the kind of
/// interruption, which the engine's configuration does not contain.
fn fingerprint(engine: &Engine, interruption: Interruption) -> Fingerprint {
    let settings = (REVISION, interruption, engine.precompile_compatibility_hash());
    Fingerprint::new("wasmtime", &VERSION, settings)
}

fn deserialize(engine: &Engine, interruption: Interruption, artifact: &TrustedArtifact) -> wasmtime::Result<Module> {
    if !artifact.key().is_for(fingerprint(engine, interruption)) {
        return Err(wasmtime::Error::msg("the code is for another engine"));
    }
    // SAFETY: the bytes must be what `Module::serialize` returned, unchanged, in this version of Wasmtime. A
    // `TrustedArtifact` is made only from an entry whose seal was checked with a secret that only this user can read.
    // Only `CompileCache::store` makes such seals, and only `fill` above calls it under such a fingerprint, with what
    // `serialize` returned: the fingerprint compared above contains this engine's name and Wasmtime's version. The
    // bytes are in our own memory, and Wasmtime copies them, so nobody can change them meanwhile, as would be possible
    // with a mapped file.
    unsafe { Module::deserialize(engine, artifact.code()) }
}

#[cfg(test)]
mod tests;
