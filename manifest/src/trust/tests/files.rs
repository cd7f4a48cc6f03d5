use super::*;

#[test]
fn only_the_modules_that_were_signed_are_verified() {
    let (json, signature) = signed();
    let manifest = verifier().verify(&json, &signature, NOW).unwrap();
    let module = manifest.verify_module("k_f32", full_module()).unwrap();
    assert_eq!((module.bytes(), module.hash()), (&full_module()[..], Digest::of(&full_module()).0));
    assert_eq!(module.spec(), &spec_of(&FULL));
    assert_eq!(module.facts().max_pages, 16);
    assert!(manifest.verify_module("p_f32", plain_module()).is_ok());

    let unknown = manifest.verify_module("q_f32", full_module());
    assert_eq!(unknown, Err(Rejected::UnknownKernel { kernel: "q_f32".into() }));
    let mismatch = |bytes: &[u8]| Rejected::HashMismatch {
        kernel: "k_f32".into(),
        path: "k/k_f32.wasm".into(),
        expected: Digest::of(&full_module()),
        actual: Digest::of(bytes),
    };
    let other = manifest.verify_module("k_f32", plain_module()).unwrap_err();
    assert_eq!(other, mismatch(&plain_module()));
    let (expected, actual) = (Digest::of(&full_module()), Digest::of(&plain_module()));
    assert_eq!(
        other.to_string(),
        format!(
            "the module of kernel \"k_f32\" (\"k/k_f32.wasm\") has the digest {actual}, but the manifest says {expected}; \
             fetch the pack again"
        )
    );
    let mut changed = full_module();
    for at in 0..changed.len() {
        changed[at] ^= 0x10;
        let found = manifest.verify_module("k_f32", changed.clone());
        assert_eq!(found, Err(mismatch(&changed)), "{at}");
        changed[at] ^= 0x10;
    }
}

#[test]
fn each_engine_is_given_the_module_that_the_manifest_has_for_it() {
    let (json, signature) = signed();
    let manifest = verifier().verify(&json, &signature, NOW).unwrap();
    let scalar = samples::scalar_module();
    let (kernel, plain) = (manifest.kernel("k_f32").unwrap(), manifest.kernel("p_f32").unwrap());
    for (engine, path) in [("wamr", "k/k_f32.scalar.wasm"), ("wasmtime", "k/k_f32.wasm"), ("wasmer", "k/k_f32.wasm")] {
        assert_eq!(kernel.module_for(engine).path, path);
        assert_eq!(plain.module_for(engine).path, "p/p_f32.wasm");
        let bytes = if engine == "wamr" { &scalar } else { &full_module() };
        let module = manifest.verify_module_for("k_f32", engine, bytes.clone()).unwrap();
        assert_eq!((module.path(), module.bytes(), module.spec()), (path, &bytes[..], &spec_of(&FULL)));
        // The module of another engine is refused, although it is signed too.
        let other = if engine == "wamr" { full_module() } else { scalar.clone() };
        let (expected, actual) = (Digest::of(bytes), Digest::of(&other));
        let mismatch = Rejected::HashMismatch { kernel: "k_f32".into(), path: path.into(), expected, actual };
        assert_eq!(manifest.verify_module_for("k_f32", engine, other), Err(mismatch));
    }
    assert!(matches!(manifest.verify_module("k_f32", scalar.clone()), Err(Rejected::HashMismatch { .. })));
    let paths: Vec<_> = kernel.modules().map(|module| module.path).collect();
    assert_eq!(paths, ["k/k_f32.wasm", "k/k_f32.scalar.wasm"]);
}

#[test]
fn a_module_for_one_engine_is_checked_as_the_kernels_own() {
    let verify = |wasm: &[u8], features: &[&str]| {
        let mut manifest = samples::manifest();
        let platform = manifest.kernels[0].platforms.get_mut("wamr").unwrap();
        platform.module.as_mut().unwrap().hash = Digest::of(wasm);
        platform.aot.clear();
        platform.features = features.iter().map(ToString::to_string).collect();
        let json = manifest.to_json();
        let signed = verifier().verify(&json, &key().sign(&json), NOW).unwrap();
        signed.verify_module_for("k_f32", "wamr", wasm.to_vec()).map(|module| module.path().to_owned())
    };
    let path = "k/k_f32.scalar.wasm".to_owned();
    let variant = |fault| Err(Rejected::Variant { kernel: "k_f32".into(), path: path.clone(), fault });
    // Tries another kernel's module, and bytes that are not a module.
    assert!(matches!(verify(&plain_module(), &[]), Err(Rejected::Variant { .. })));
    assert_eq!(verify(b"\0asm", &[]), variant(ModuleFault::NotWasm));
    let started = samples::full_wat().replacen("(memory", "(start 5) (func) (memory", 1);
    let started = samples::module(&started, &[&samples::FULL_ENTRY]);
    assert!(matches!(verify(&started, &[]), Err(Rejected::Variant { .. })));
    let unbounded = samples::module(&samples::full_wat().replace("2 16", "2"), &[&samples::FULL_ENTRY]);
    assert_eq!(verify(&unbounded, &[]), variant(ModuleFault::MemoryUnbounded { limit: 16 }));

    // A module for one engine may use only the features that its platform lists.
    let simd = samples::full_wat().replacen("(memory", "(func (param v128)) (memory", 1);
    let simd = samples::module(&simd, &[&samples::FULL_ENTRY]);
    assert_eq!(verify(&simd, &["bulk-memory", "simd"]), Ok(path.clone()));
    let unlisted = verify(&simd, &["bulk-memory"]);
    assert_eq!(unlisted, variant(ModuleFault::UnlistedFeature { engine: "wamr".into(), feature: "simd" }));
    assert_eq!(
        unlisted.unwrap_err().to_string(),
        "the module \"k/k_f32.scalar.wasm\" of kernel \"k_f32\": it uses the WebAssembly feature \"simd\", which the \
         platform \"wamr\" does not list; pack again"
    );
}

#[test]
fn a_signed_digest_does_not_excuse_a_bad_module() {
    let mut manifest = samples::manifest();
    manifest.kernels[0].hash = Digest::of(&plain_module());
    let json = manifest.to_json();
    let manifest = verifier().verify(&json, &key().sign(&json), NOW).unwrap();
    let found = manifest.verify_module("k_f32", plain_module());
    assert!(matches!(found, Err(Rejected::Module { .. })), "{found:?}");
}

#[test]
fn a_health_vector_is_verified_by_its_digest_and_its_kernel() {
    let (json, signature) = signed();
    let manifest = verifier().verify(&json, &signature, NOW).unwrap();
    let (path, bytes) = ("health/k_f32.safetensors", samples::full_vector().to_bytes().unwrap());
    let verified = manifest.verify_vector("k_f32", path, &bytes).unwrap();
    assert_eq!((verified.kernel(), verified.path(), verified.tolerance()), ("k_f32", path, 1e-6));
    assert_eq!(verified.vector(), &samples::full_vector());

    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    let found = manifest.verify_vector("k_f32", path, &changed).unwrap_err();
    assert!(matches!(&found, Rejected::VectorMismatch { expected, .. } if *expected == Digest::of(&bytes)), "{found}");
    let found = manifest.verify_vector("p_f32", path, &bytes).unwrap_err();
    assert_eq!(found, Rejected::NoVector { kernel: "p_f32".into(), path: path.into() });
    let found = manifest.verify_vector("q_f32", path, &bytes).unwrap_err();
    assert_eq!(found, Rejected::UnknownKernel { kernel: "q_f32".into() });

    // A signed digest alone does not make the bytes acceptable.
    let text = String::from_utf8(json).unwrap().replace(&Digest::of(&bytes).to_string(), &Digest::of(b"x").to_string());
    let manifest = verifier().verify(text.as_bytes(), &key().sign(text.as_bytes()), NOW).unwrap();
    let found = manifest.verify_vector("k_f32", path, b"x").unwrap_err().to_string();
    assert!(
        found.starts_with("the health vector \"health/k_f32.safetensors\" of kernel \"k_f32\": it is not "),
        "{found}"
    );
}

#[test]
fn native_code_takes_a_signer_who_may_vouch_for_it() {
    let aot = samples::aot(&samples::aot_record());
    let (json, signature) = signed();
    let verify = |verifier: &KernelPackVerifier, bytes: &[u8]| {
        let signed = verifier.verify(&json, &signature, NOW).unwrap();
        signed.verify_aot("k_f32", "wamr", AotTarget::X86_64, bytes.to_vec())
    };
    let granted = KernelPackVerifier::new([key().public()]).with_native_keys([key().public()]);
    let file = verify(&granted, &aot).unwrap();
    assert_eq!((file.bytes(), file.file()), (&aot[..], &samples::aot_file()));
    assert_eq!(file.facts().record, samples::aot_record());

    let refused = Rejected::NativeNotTrusted {
        kernel: "k_f32".into(),
        path: "k/k_f32.x86_64.aot".into(),
        key: key().public().id(),
    };
    let other = SecretKey::from_seed([9; 32]).public();
    for verifier in [
        KernelPackVerifier::new([key().public()]),
        KernelPackVerifier::new([key().public(), other]).with_native_keys([other]),
        // The store's entry for the key decides.
        granted.clone().with_trust_store(store(|_| {})),
    ] {
        // The signer is refused before the bytes are read.
        assert_eq!(verify(&verifier, b"not the file"), Err(refused.clone()));
        assert_eq!(verify(&verifier, &aot), Err(refused.clone()));
    }
    // Permission for native code does not make a key trusted.
    let native_only = KernelPackVerifier::new([other]).with_native_keys([key().public()]);
    assert!(matches!(native_only.verify(&json, &signature, NOW), Err(Rejected::Unverified(VerifyError::NoTrustedKey))));
    let mut by_store = TrustStore::default();
    by_store.add(TrustedKey { native: true, ..entry("sample", &key()) }).unwrap();
    let by_store = KernelPackVerifier::default().with_trust_store(TrustStore::parse(&by_store.to_json()).unwrap());
    assert!(verify(&by_store, &aot).is_ok());
}

#[test]
fn native_code_that_is_not_what_was_signed_is_refused() {
    let verifier = KernelPackVerifier::new([key().public()]).with_native_keys([key().public()]);
    // The file must match its entry, whatever the signed entry claims.
    let verify = |bytes: &[u8], change: &dyn Fn(&mut AotFile)| {
        let mut manifest = samples::manifest();
        let file = &mut manifest.kernels[0].platforms.get_mut("wamr").unwrap().aot[0];
        file.hash = Digest::of(bytes);
        change(file);
        let json = manifest.to_json();
        let signed = verifier.verify(&json, &key().sign(&json), NOW).unwrap();
        signed.verify_aot("k_f32", "wamr", AotTarget::X86_64, bytes.to_vec()).map(|_| ())
    };
    let aot = samples::aot(&samples::aot_record());
    assert_eq!(verify(&aot, &|_| {}), Ok(()));
    assert!(matches!(verify(&aot, &|file| file.hash = Digest::of(b"")), Err(Rejected::HashMismatch { .. })));
    let fault = |result| match result {
        Err(Rejected::Aot { kernel, path, fault }) => {
            assert_eq!((kernel.as_str(), path.as_str()), ("k_f32", "k/k_f32.x86_64.aot"));
            *fault
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(verify(b"MZ, and more", &|_| {})), AotFault::NotAot);
    let newer = |file: &mut AotFile| file.version.patch += 1;
    assert!(matches!(fault(verify(&aot, &newer)), AotFault::Version { .. }));
    let own = Digest::of(&full_module());
    assert!(matches!(fault(verify(&aot, &|file| file.source = own)), AotFault::Source { .. }));
    let unchecked = samples::aot(&AotRecord { options: vec![], ..samples::aot_record() });
    assert_eq!(fault(verify(&unchecked, &|_| {})), AotFault::Unchecked { check: "bounds-checks" });

    let (json, signature) = signed();
    let signed = verifier.verify(&json, &signature, NOW).unwrap();
    for (engine, target) in [("wamr", AotTarget::Aarch64), ("wasmtime", AotTarget::X86_64)] {
        let none = Rejected::NoAot { kernel: "k_f32".into(), target };
        assert_eq!(signed.verify_aot("k_f32", engine, target, aot.clone()), Err(none));
    }
}
