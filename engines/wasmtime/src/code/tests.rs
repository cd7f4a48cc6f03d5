use super::*;
use wasmtime::Config;

#[test]
fn engines_that_make_other_code_have_other_fingerprints() {
    let of = |set: fn(&mut Config) -> &mut Config| {
        let mut config = Config::new();
        set(&mut config);
        fingerprint(&Engine::new(&config).unwrap(), Interruption::Never)
    };
    let plain = of(|config| config);
    assert_eq!(plain, of(|config| config));
    assert_ne!(plain, of(|config| config.epoch_interruption(true)));
    assert_ne!(plain, of(|config| config.cranelift_opt_level(wasmtime::OptLevel::None)));
    assert_ne!(plain, of(|config| config.cranelift_nan_canonicalization(true)));
    assert_ne!(plain, of(|config| config.memory_reservation(1 << 20)));
    // The engine is the same, but with page protection modules are rewritten first.
    assert_ne!(plain, fingerprint(&Engine::default(), Interruption::PageProtection));
    // The stack limit is compared with a number that is not part of the code.
    assert_eq!(plain, of(|config| config.max_wasm_stack(256 << 10)));
}
