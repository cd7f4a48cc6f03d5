//! Modules for engines without SIMD: their contents, and which engine loads which module. `core_kernels` and the
//! oracles show that they compute the same. Wasmtime stands in for engines without SIMD here; WAMR is one.

use std::{collections::BTreeSet, fs};

use kernelpack_abi::TensorView;
use kernelpack_fixture_with_std::panics;
use kernelpack_host::{
    Error,
    error::{BadCall, KernelError, Rejected},
    pack::VerifiedPack,
    trust::KernelPackVerifier,
};
use kernelpack_tests::{
    engine::Engine,
    pack::{self, Copy},
};
use wasmparser::{Operator, Parser, Payload};

/// The features that WAMR's interpreter and its compiler support in builds for devices.
const WAMR: [&str; 5] = ["bulk-memory", "multi-value", "mutable-global", "saturating-float-to-int", "sign-extension"];

fn verifier() -> KernelPackVerifier {
    KernelPackVerifier::new([pack::key().public()])
}

fn refused<T>(result: Result<T, Error>) -> Rejected {
    match result {
        Err(Error::Rejected(rejected)) => *rejected,
        Err(other) => panic!("not the pack's fault: {other}"),
        Ok(_) => panic!("the pack was accepted"),
    }
}

fn grows_memory(wasm: &[u8]) -> bool {
    Parser::new(0).parse_all(wasm).any(|payload| match payload.unwrap() {
        Payload::CodeSectionEntry(body) => body
            .get_operators_reader()
            .unwrap()
            .into_iter()
            .any(|operator| matches!(operator.unwrap(), Operator::MemoryGrow { .. })),
        _ => false,
    })
}

#[test]
fn the_core_kernels_have_modules_that_fit_small_devices() {
    let verified = VerifiedPack::open(pack::core(), &verifier()).unwrap();
    let mut simd = 0;
    for kernel in &verified.signed_manifest().kernels {
        let (id, platforms) = (&kernel.id, &kernel.platforms);
        assert_eq!(platforms.keys().collect::<Vec<_>>(), ["wamr", "wasmtime"]);
        let find = |engine| {
            let path = kernel.module_for(engine).path;
            let module = verified
                .kernels()
                .iter()
                .flat_map(|kernel| kernel.modules())
                .find(|module| module.path() == path)
                .unwrap();
            let listed: BTreeSet<_> = platforms[engine].features.iter().map(String::as_str).collect();
            assert_eq!(module.facts().required_features, listed, "{path}");
            module
        };
        simd += u32::from(find("wasmtime").facts().required_features.contains("simd"));
        let scalar = find("wamr");
        assert_eq!(scalar.path(), kernel.path.replace(".wasm", ".scalar.wasm"));
        let facts = scalar.facts();
        assert!(facts.required_features.iter().all(|feature| WAMR.contains(feature)), "{id}: {facts:?}");
        // Growing memory is not available in a fixed pool, nor with WAMR's compiler and its checks for termination.
        assert!(!grows_memory(scalar.bytes()), "{id}");
        assert!(facts.initial_pages <= 2 && facts.heap_base < 80 << 10, "{id}: {facts:?}");
    }
    // Enough of the kernels must have a second module.
    assert!(simd >= 10, "{simd}");
}

#[test]
fn an_engine_reads_its_own_modules_and_verification_reads_all() {
    let copy = Copy::of(pack::core());
    let (own, other) = ("rmsnorm/rmsnorm_f32.wasm", "rmsnorm/rmsnorm_f32.scalar.wasm");
    for (changed, opens) in [(own, false), (other, true)] {
        let good = copy.read(changed);
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        copy.write(changed, &bad);
        let mismatch = |found: &Rejected| matches!(found, Rejected::HashMismatch { path, .. } if path == changed);
        let found = refused(VerifiedPack::open(copy.path(), &verifier()));
        assert!(mismatch(&found), "{found}");
        if opens {
            // Wasmtime would never run this module.
            copy.open(Engine::Wasmtime).unwrap();
        } else {
            assert!(mismatch(&refused(copy.open(Engine::Wasmtime))));
        }
        let found = kernelpack_packer::sign(copy.path(), &pack::key()).unwrap_err().to_string();
        assert!(found.contains(changed) && found.contains("has the digest"), "{found}");
        copy.write(changed, &good);
    }
    // Even a file that this engine does not load must be there, since the signature covers the whole folder.
    fs::remove_file(copy.path().join(other)).unwrap();
    let missing = || Rejected::MissingFile { path: other.to_owned() };
    assert_eq!(refused(copy.open(Engine::Wasmtime)), missing());
    assert_eq!(refused(VerifiedPack::open(copy.path(), &verifier())), missing());
}

#[test]
fn loading_a_pack_that_was_verified_for_another_engine_blames_the_caller() {
    let verified = Engine::Wasmtime.runtime().verify(pack::core()).unwrap();
    let error = Engine::Wamr.runtime().load(verified).unwrap_err();
    let Error::BadCall(blamed) = &error else { panic!("{error:?}") };
    assert!(matches!(**blamed, BadCall::OtherEngine { .. }), "{error:?}");
    assert!(error.to_string().contains(".scalar.wasm\"; verify it with the runtime that loads it"), "{error}");
    Engine::Wamr.runtime().load(VerifiedPack::open(pack::core(), &verifier()).unwrap()).unwrap();
}

#[test]
fn a_platforms_module_is_loaded_instead_of_the_kernels_own() {
    let copy = Copy::of(pack::scalar());
    let kernel = copy.manifest().kernels.remove(0);
    let scalar = kernel.module_for("wasmtime").path.to_owned();
    assert!(scalar.ends_with(".scalar.wasm"));
    let good = copy.read(&kernel.path);
    copy.write(&kernel.path, b"not read");
    copy.open(Engine::Wasmtime).unwrap();
    copy.write(&kernel.path, &good);
    copy.write(&scalar, &good);
    assert!(matches!(refused(copy.open(Engine::Wasmtime)), Rejected::HashMismatch { path, .. } if path == scalar));
}

#[test]
fn health_vectors_hold_for_the_modules_without_simd_too() {
    for (pack, least) in [(pack::core(), 16), (pack::fixture("with-std"), 5), (pack::fixture("without-std"), 1)] {
        let pack = Copy::of(pack).scalar();
        let report = pack.open(Engine::Wasmtime).unwrap().check_health().unwrap();
        assert!(report.checked.len() >= least, "{report:?}");
    }
}

/// The small stack has room for what std needs to report a panic.
#[test]
fn a_panic_without_simd_arrives_with_its_message() {
    let pack = Copy::of(pack::fixture("with-std")).scalar().open(Engine::Wasmtime).unwrap();
    let kernel = pack.kernel::<panics::Kernel>().unwrap();
    let run = |data: &[f32; 2]| kernel.run(panics::Inputs::new(TensorView::new(data, &[2]).unwrap()));
    for _ in 0..2 {
        let Err(Error::Kernel(trapped)) = run(&[1.0, -2.0]) else { panic!("it does not panic") };
        let KernelError::Returned { code: 6, message: Some(message) } = trapped.error else {
            panic!("{}", trapped.error)
        };
        assert!(message.starts_with("panicked at ") && message.ends_with(": element 1 is -2"), "{message}");
        assert_eq!(run(&[1.0, 2.0]).unwrap().y.data(), [1.0, 2.0]);
    }
}

/// A signature over its digest does not turn another kernel's module, or one with other features, into this kernel's.
#[test]
fn a_signed_module_for_one_engine_is_checked_all_the_same() {
    let copy = Copy::of(pack::core());
    let manifest = copy.manifest();
    let try_with = |wasm: &[u8]| {
        let mut manifest = manifest.clone();
        let module = manifest.kernels[0].platforms.get_mut("wamr").unwrap().module.as_mut().unwrap();
        module.hash = kernelpack_manifest::Digest::of(wasm);
        copy.write(&module.path, wasm);
        copy.sign(&manifest.to_json());
        let found = kernelpack_packer::sign(copy.path(), &pack::key()).unwrap_err().to_string();
        let refused = refused(VerifiedPack::open(copy.path(), &verifier())).to_string();
        assert!(found.ends_with(&refused), "{found}");
        refused
    };
    let start = format!("the module {:?} of kernel {:?}: ", "kv/kv_pack_q4.scalar.wasm", "kv_pack_q4");
    let other = try_with(&copy.read(&manifest.kernels[1].path));
    assert!(other.starts_with(&start) && other.contains("disagrees with its manifest entry"), "{other}");
    let simd = try_with(&copy.read(&manifest.kernels[0].path));
    assert_eq!(
        simd,
        format!(
            "{start}it uses the WebAssembly feature \"simd\", which the platform \"wamr\" does not list; pack again"
        )
    );
}
