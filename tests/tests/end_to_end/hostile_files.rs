//! Packs that were tampered with on disk: each is refused with its own error during verification, before any engine is
//! involved.

use std::{fs, path::Path};

use kernelpack_host::{
    Error,
    error::{FileError, Rejected},
    pack::{CompatibilityResult, VerifiedPack},
    trust::KernelPackVerifier,
};
use kernelpack_manifest::{SecretKey, VerifyError};
use kernelpack_tests::{
    apply,
    engine::Engine,
    on_both_engines,
    pack::{self, Copy, MANIFEST, SIGNATURE},
};

fn verifier() -> KernelPackVerifier {
    KernelPackVerifier::new([pack::key().public()])
}

fn rejected(pack: impl AsRef<Path>) -> Rejected {
    match VerifiedPack::open(pack, &verifier()) {
        Err(Error::Rejected(rejected)) => *rejected,
        Err(other) => panic!("not the pack's fault: {other}"),
        Ok(_) => panic!("the pack was accepted"),
    }
}

#[test]
fn the_pack_that_the_others_vary_is_accepted() {
    let pack = VerifiedPack::open(Copy::of(pack::core()).path(), &verifier()).unwrap();
    assert_eq!(pack.kernels().iter().map(|kernel| kernel.modules().count()).sum::<usize>(), 26);
}

#[test]
fn wrong_keys_are_refused() {
    let core = pack::core();
    let stranger = SecretKey::from_seed([8; 32]);
    let open = |keys: Vec<_>| VerifiedPack::open(core, &KernelPackVerifier::new(keys));
    let refused = |keys| match open(keys) {
        Err(Error::Rejected(rejected)) => *rejected,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(vec![stranger.public()]), Rejected::Unverified(VerifyError::NoTrustedKey));
    assert_eq!(refused(vec![]), Rejected::Unverified(VerifyError::NoKeys));
    // Any one of the trusted keys is enough.
    assert!(open(vec![stranger.public(), pack::key().public()]).is_ok());
    // A manifest that names the stranger's key as its author's still needs a signature of ours.
    let copy = Copy::of(core);
    let mut manifest = copy.manifest();
    manifest.author.signing_key = stranger.public().id();
    let manifest = manifest.to_json();
    copy.write(MANIFEST, &manifest);
    copy.write(SIGNATURE, &stranger.sign(&manifest));
    assert_eq!(rejected(copy.path()), Rejected::Unverified(VerifyError::NoTrustedKey));
}

/// `a_change_of_any_byte_is_refused` in `manifest` tries each byte; here the changed files are read from a folder.
#[test]
fn changed_bytes_of_manifest_and_signature_are_refused() {
    let copy = Copy::of(pack::core());
    for (name, step) in [(MANIFEST, 499), (SIGNATURE, 9)] {
        let good = copy.read(name);
        for at in (0..good.len()).step_by(step).chain([good.len() - 1]) {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            copy.write(name, &bytes);
            assert_eq!(rejected(copy.path()), Rejected::Unverified(VerifyError::NoTrustedKey), "{name} {at}");
        }
        for len in (0..good.len()).step_by(step) {
            copy.write(name, &good[..len]);
            assert!(matches!(rejected(copy.path()), Rejected::Unverified(_)), "{name} cut at {len}");
        }
        copy.write(name, &[&good[..], b"\n"].concat());
        assert!(matches!(rejected(copy.path()), Rejected::Unverified(_)), "{name} with a byte more");
        copy.write(name, &good);
    }
    assert!(VerifiedPack::open(copy.path(), &verifier()).is_ok());
}

#[test]
fn changed_modules_are_refused() {
    let copy = Copy::of(pack::core());
    for kernel in &copy.manifest().kernels {
        let good = copy.read(&kernel.path);
        let refused = |bytes: &[u8]| {
            copy.write(&kernel.path, bytes);
            assert!(matches!(rejected(copy.path()), Rejected::HashMismatch { .. }));
        };
        for at in (0..good.len()).step_by(1009) {
            let mut bytes = good.clone();
            bytes[at] ^= 0x80;
            refused(&bytes);
        }
        refused(&good[..good.len() / 2]);
        refused(&[]);
        copy.write(&kernel.path, &good);
    }
    // One module replaces another.
    let kernels = copy.manifest().kernels;
    copy.write(&kernels[0].path, &copy.read(&kernels[1].path));
    assert!(matches!(rejected(copy.path()), Rejected::HashMismatch { .. }));
}

#[test]
fn files_that_are_missing_or_too_many_are_refused() {
    let missing = |name: &str| {
        let copy = Copy::of(pack::core());
        fs::remove_file(copy.path().join(name)).unwrap();
        assert_eq!(rejected(copy.path()), Rejected::MissingFile { path: name.to_owned() });
    };
    missing(MANIFEST);
    missing(SIGNATURE);
    missing("rope/rope_f32.wasm");

    let unexpected = |name: &str, said: &str| {
        let copy = Copy::of(pack::core());
        copy.write(name, b"");
        assert_eq!(rejected(copy.path()), Rejected::UnexpectedFile { path: said.to_owned() });
    };
    unexpected("README", "README");
    unexpected("rope/rope_f32.wasm~", "rope/rope_f32.wasm~");
    unexpected("more/deep/file", "more");
    unexpected(".hidden", ".hidden");

    let folder = Copy::of(pack::core());
    fs::remove_file(folder.path().join(SIGNATURE)).unwrap();
    fs::create_dir(folder.path().join(SIGNATURE)).unwrap();
    assert_eq!(rejected(folder.path()), Rejected::NotAFile { path: SIGNATURE.to_owned() });

    let large = Copy::of(pack::core());
    large.write(MANIFEST, &vec![b' '; 5 << 20]);
    assert!(matches!(rejected(large.path()), Rejected::FileTooLarge { .. }));
    // The path names nothing, or a file that is not a folder.
    assert!(matches!(VerifiedPack::open("/nonexistent/pack", &verifier()), Err(Error::File(FileError::Read { .. }))));
    let file = VerifiedPack::open(large.path().join(MANIFEST), &verifier()).unwrap_err();
    assert!(matches!(file, Error::File(FileError::NotAFolder { .. })), "{file}");
}

#[cfg(unix)]
#[test]
fn links_are_refused() {
    use std::os::unix::fs::symlink;
    for name in [MANIFEST, SIGNATURE, "rope/rope_f32.wasm"] {
        let copy = Copy::of(pack::core());
        let file = copy.path().join(name);
        let target = tempfile::NamedTempFile::new().unwrap();
        fs::copy(&file, target.path()).unwrap();
        fs::remove_file(&file).unwrap();
        symlink(target.path(), &file).unwrap();
        assert_eq!(rejected(copy.path()), Rejected::NotAFile { path: name.to_owned() });
    }
    let copy = Copy::of(pack::core());
    let elsewhere = tempfile::TempDir::new().unwrap();
    fs::rename(copy.path().join("rope"), elsewhere.path().join("rope")).unwrap();
    symlink(elsewhere.path().join("rope"), copy.path().join("rope")).unwrap();
    assert!(matches!(rejected(copy.path()), Rejected::UnexpectedFile { .. } | Rejected::NotAFile { .. }));
}

/// Signs the core manifest with one piece of text replaced, and returns the reason why it is refused.
fn replaced(from: &str, to: &str) -> Rejected {
    let copy = Copy::of(pack::core());
    let manifest = String::from_utf8(copy.read(MANIFEST)).unwrap();
    assert!(manifest.contains(from), "{from}");
    copy.sign(manifest.replacen(from, to, 1).as_bytes());
    rejected(copy.path())
}

#[test]
fn manifests_that_lead_elsewhere_are_refused_though_signed() {
    const PATH: &str = "\"rope/rope_f32.wasm\"";
    for path in [
        "../rope_f32.wasm",
        "rope/../rope_f32.wasm",
        "/etc/passwd",
        "rope//rope_f32.wasm",
        "./rope_f32.wasm",
        "rope\\\\rope_f32.wasm",
        "C:/rope_f32.wasm",
        "",
        "rope/rope_f32.wasm/",
    ] {
        let refused = replaced(PATH, &format!("\"{path}\""));
        assert!(matches!(refused, Rejected::UnsafePath { .. }), "{path:?}: {refused}");
    }
    assert!(matches!(
        replaced(PATH, "\"rmsnorm/rmsnorm_f32.wasm\""),
        Rejected::DuplicatePath { .. } | Rejected::Kernel { .. }
    ));
}

#[test]
fn manifests_that_say_two_things_are_refused_though_signed() {
    assert!(matches!(
        replaced("\"description\"", "\"description\": \"a\", \"description\""),
        Rejected::DuplicateKey { key, .. } if key == "description"
    ));
    assert!(matches!(
        replaced("\"eps\": {", "\"eps\": {\"type\": \"f32\", \"index\": 0}, \"eps\": {"),
        Rejected::DuplicateKey { .. }
    ));
    assert!(matches!(
        replaced("\"id\": \"rope_f32\"", "\"id\": \"rmsnorm_f32\""),
        Rejected::DuplicateKernel { .. } | Rejected::DuplicatePath { .. } | Rejected::Kernel { .. }
    ));
    assert!(
        matches!(replaced("\"rope_f32\": \"", "\"softmax\": \""), Rejected::UnknownFallback { kernel } if kernel == "softmax")
    );
    assert!(matches!(replaced("\"description\"", "\"describes\""), Rejected::Malformed { .. }));
    assert!(matches!(
        replaced("kernel-pack-v1.json", "kernel-pack-v2.json"),
        Rejected::Incompatible(CompatibilityResult::SchemaVersion { found: 2, .. })
    ));
    assert!(matches!(
        replaced("\"abi_version\": 1", "\"abi_version\": 2"),
        Rejected::Incompatible(CompatibilityResult::AbiVersion { found: 2, .. })
    ));
    // The manifest and the module contradict each other.
    for (from, to) in [
        ("\"optional\": true", "\"optional\": false"),
        ("\"default\": 10000.0", "\"default\": 500000.0"),
        ("\"max_memory_pages\": 16384", "\"max_memory_pages\": 65536"),
        ("\"entry_point\": \"rope_forward\"", "\"entry_point\": \"rope_backward\""),
        ("\"dim/2\"", "\"dim/4\""),
    ] {
        assert!(matches!(replaced(from, to), Rejected::Module { .. }), "{from}");
    }
}

#[apply(on_both_engines)]
fn packs_that_do_not_fit_are_refused(engine: Engine) {
    let refused = |from: &str, to: &str| {
        let copy = Copy::of(pack::core());
        let manifest = String::from_utf8(copy.read(MANIFEST)).unwrap();
        assert!(manifest.contains(from), "{from}");
        copy.sign(manifest.replacen(from, to, 1).as_bytes());
        match copy.open(engine) {
            Err(Error::Rejected(rejected)) => rejected.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let version = env!("CARGO_PKG_VERSION");
    let min = format!("\"min_runtime_version\": \"{version}\"");
    assert!(refused(&min, "\"min_runtime_version\": \"0.9.0\"").contains("0.9.0"));
    // Reported before the modules are read: a module for another runtime may use unknown features.
    let copy = Copy::of(pack::core());
    let manifest = String::from_utf8(copy.read(MANIFEST)).unwrap();
    copy.sign(manifest.replacen(&min, "\"min_runtime_version\": \"0.9.0\"", 1).as_bytes());
    let module = copy.manifest().kernel("rope_f32").unwrap().module_for(engine.name()).path.to_owned();
    copy.write(&module, b"of the future");
    assert!(copy.open(engine).unwrap_err().to_string().contains("0.9.0"));
    let lowered = refused("\"max_runtime_version\": \"1.0.0\"", "\"max_runtime_version\": \"0.0.1\"");
    assert!(lowered.contains("0.0.1"), "{lowered}");
    let (version, feature) = match engine {
        Engine::Wasmtime => ("\"min_version\": \"48.0.0\"", "simd"),
        _ => ("\"min_version\": \"2.4.3\"", "sign-extension"),
    };
    assert!(refused(version, "\"min_version\": \"49.0.0\"").contains("49.0.0"));
    // WAMR's platforms come first in the sorted order.
    assert!(refused(&format!("\"{feature}\""), "\"quantum\"").contains("quantum"));
}
