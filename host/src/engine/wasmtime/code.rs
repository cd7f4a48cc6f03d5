//! From a verified module to its code: out of the cache where that has it, else compiled.
//!
//! `unsafe`, since Wasmtime cannot tell code that it made from code that somebody
//! made up, and runs either.
#![allow(unsafe_code, reason = "Wasmtime runs what it deserializes; the reason stands at the block")]

use kernelpack_manifest::VerifiedModule;
use wasmtime::{Engine, Module};

use super::VERSION;
use crate::cache::{CacheOutcome, CompileCache, EntryFault, Fingerprint, Key, TrustedArtifact};

/// The code of a module for this engine, to be made of `wasm`, which is the module in a form that depends on nothing but
/// the module and the engine.
pub(super) fn load(
    engine: &Engine,
    cache: Option<&CompileCache>,
    module: &VerifiedModule,
    wasm: &[u8],
) -> wasmtime::Result<(Module, CacheOutcome)> {
    let compile = || Module::from_binary(engine, wasm);
    let Some(cache) = cache else { return Ok((compile()?, CacheOutcome::Off)) };
    let key = Key::new(module, fingerprint(engine));
    let fault = match cache.load(&key) {
        Ok(Some(artifact)) => match deserialize(engine, &artifact) {
            Ok(module) => return Ok((module, CacheOutcome::Hit)),
            Err(_) => Some(EntryFault::RefusedByEngine),
        },
        Ok(None) => None,
        Err(fault) => Some(fault),
    };
    let compiled = compile()?;
    // Under the key of the module that was compiled just now, by the engine that compiled it.
    let stored = compiled.serialize().map_err(std::io::Error::other).and_then(|code| cache.store(&key, &code));
    let outcome = match (stored, fault) {
        (Ok(()), None) => CacheOutcome::Miss,
        (Ok(()), Some(fault)) => CacheOutcome::Replaced { fault },
        (Err(error), fault) => CacheOutcome::NotStored { fault, error: error.kind() },
    };
    Ok((compiled, outcome))
}

/// All that the code which this engine makes depends on, besides the module.
fn fingerprint(engine: &Engine) -> Fingerprint {
    Fingerprint::new("wasmtime", &VERSION, engine.precompile_compatibility_hash())
}

fn deserialize(engine: &Engine, artifact: &TrustedArtifact) -> wasmtime::Result<Module> {
    if !artifact.key().is_for(fingerprint(engine)) {
        return Err(wasmtime::Error::msg("the code is for another engine"));
    }
    // SAFETY: the bytes must be what `Module::serialize` gave, unchanged, in this version of Wasmtime. A
    // `TrustedArtifact` is made only of an entry whose seal was checked with a secret that only this user can read;
    // `CompileCache::store` makes those seals and is called only in `load` above, with what `serialize` gave. The
    // fingerprint compared above has Wasmtime's version in it. The bytes are in memory of ours, and Wasmtime copies
    // them: nobody can change them meanwhile, as they could change a file that is mapped.
    unsafe { Module::deserialize(engine, artifact.code()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::Config;

    #[test]
    fn engines_that_make_other_code_have_other_fingerprints() {
        let of = |set: fn(&mut Config) -> &mut Config| {
            let mut config = Config::new();
            set(&mut config);
            fingerprint(&Engine::new(&config).unwrap())
        };
        let plain = of(|config| config);
        assert_eq!(plain, of(|config| config));
        assert_ne!(plain, of(|config| config.epoch_interruption(true)));
        assert_ne!(plain, of(|config| config.cranelift_opt_level(wasmtime::OptLevel::None)));
        assert_ne!(plain, of(|config| config.cranelift_nan_canonicalization(true)));
        assert_ne!(plain, of(|config| config.memory_reservation(1 << 20)));
        // How much stack guests get is checked against a number that is no part of the code.
        assert_eq!(plain, of(|config| config.max_wasm_stack(256 << 10)));
    }
}
