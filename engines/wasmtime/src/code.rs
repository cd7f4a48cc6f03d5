//! From a verified module to its code: out of the cache where that has it, else compiled.
//!
//! `unsafe`, since Wasmtime cannot tell code that it made from code that somebody
//! made up, and runs either.
#![allow(unsafe_code, reason = "Wasmtime runs what it deserializes; the reason stands at the block")]

use kernelpack_compile_cache::{CacheOutcome, CompileCache, EntryFault, Fingerprint, Key, TrustedArtifact};
use kernelpack_engine::Interruption;
use kernelpack_interruptible::REVISION;
use kernelpack_manifest::VerifiedModule;
use wasmtime::{Engine, Module};

use crate::VERSION;

/// What is known of a module's code before it is compiled.
pub(super) enum Lookup<'a> {
    /// The cache had it.
    Found(Module),
    /// It must be compiled.
    Missing(Vacancy<'a>),
}

/// The place of code that must be compiled.
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
    /// Compiles the module, given in the form that the engine is for, which depends on nothing else but the module.
    pub(super) fn fill(self, wasm: &[u8]) -> wasmtime::Result<(Module, CacheOutcome)> {
        let Self { engine, place, fault } = self;
        let compiled = Module::from_binary(engine, wasm)?;
        let Some((cache, key)) = place else { return Ok((compiled, CacheOutcome::Off)) };
        // Under the key of the module that was compiled just now, by the engine that compiled it.
        let stored = compiled.serialize().map_err(std::io::Error::other).and_then(|code| cache.store(&key, &code));
        Ok((compiled, CacheOutcome::of_store(stored, fault)))
    }
}

/// All that the code which this engine makes depends on, besides the module. How that is rewritten first depends on how
/// it is to be interrupted, which the engine's configuration does not tell.
fn fingerprint(engine: &Engine, interruption: Interruption) -> Fingerprint {
    let settings = (REVISION, interruption, engine.precompile_compatibility_hash());
    Fingerprint::new("wasmtime", &VERSION, settings)
}

fn deserialize(engine: &Engine, interruption: Interruption, artifact: &TrustedArtifact) -> wasmtime::Result<Module> {
    if !artifact.key().is_for(fingerprint(engine, interruption)) {
        return Err(wasmtime::Error::msg("the code is for another engine"));
    }
    // SAFETY: the bytes must be what `Module::serialize` gave, unchanged, in this version of Wasmtime. A
    // `TrustedArtifact` is made only of an entry whose seal was checked with a secret that only this user can read;
    // `CompileCache::store` makes those seals and is called under such a fingerprint only in `fill` above, with what
    // `serialize` gave: what is compared above has this engine's name and Wasmtime's version in it. The bytes are in memory of ours, and Wasmtime copies
    // them: nobody can change them meanwhile, as they could change a file that is mapped.
    unsafe { Module::deserialize(engine, artifact.code()) }
}

#[cfg(test)]
mod tests;
