//! Signing a pack that exists.

mod common;

use std::{collections::BTreeMap, fs, path::Path};

use common::{files, openssl_verifies};
use kernelpack_abi::{ABI_VERSION, KernelSpec, KernelSpecBuf, Lifecycle, ResourceLimits, Signature};
use kernelpack_manifest::{Author, Digest, Kernel, KernelPackVerifier, Manifest, SCHEMA, SecretKey};
use kernelpack_packer::sign;
use semver::Version;

const SPEC: KernelSpec<'static> = KernelSpec {
    id: "k_f32",
    name: "K",
    description: "",
    category: "c",
    family: "k",
    entry_point: "k_forward",
    fallback: "k_reference",
    limits: ResourceLimits::DEFAULT,
    lifecycle: Lifecycle { init: false, cleanup: false },
    forward: Signature { symbols: &[], tensors: &[], params: &[] },
    backward: None,
};

/// An unsigned pack that names this key; to signing, a module is bytes with a digest.
fn pack(folder: &Path, key: &SecretKey) {
    let module = b"a module";
    let spec = KernelSpecBuf::from(&SPEC);
    let manifest = Manifest {
        schema: SCHEMA.into(),
        abi_version: ABI_VERSION,
        name: "n".into(),
        version: Version::new(1, 0, 0),
        description: String::new(),
        min_runtime_version: Version::new(0, 1, 0),
        max_runtime_version: Version::new(1, 0, 0),
        created_at: "2026-01-18T00:00:00Z".into(),
        author: Author { name: "a".into(), email: None, signing_key: key.public().id() },
        kernels: vec![Kernel::from_spec(&spec, Digest::of(module), BTreeMap::new(), BTreeMap::new()).unwrap()],
        fallbacks: BTreeMap::from([("k_f32".into(), "k_reference".into())]),
    };
    manifest.validate().unwrap();
    fs::create_dir_all(folder.join("k")).unwrap();
    fs::write(folder.join("k/k_f32.wasm"), module).unwrap();
    fs::write(folder.join("kernels.json"), manifest.to_json()).unwrap();
}

#[test]
fn a_pack_is_signed_by_the_key_that_it_names() {
    let (folder, key) = (tempfile::tempdir().unwrap(), SecretKey::from_seed([1; 32]));
    pack(folder.path(), &key);
    let before = fs::read(folder.path().join("kernels.json")).unwrap();
    assert_eq!(sign(folder.path(), &key).unwrap(), key.public());

    let manifest = fs::read(folder.path().join("kernels.json")).unwrap();
    assert_eq!(manifest, before, "the manifest was rewritten without need");
    let signature = fs::read(folder.path().join("kernels.json.sig")).unwrap();
    assert_eq!(signature.len(), 64);
    KernelPackVerifier::new([key.public()]).verify(&manifest, &signature).unwrap();
    assert_ne!(openssl_verifies(folder.path(), &key.public()), Some(false));
    assert_ne!(openssl_verifies(folder.path(), &SecretKey::from_seed([2; 32]).public()), Some(true));
    assert_eq!(files(folder.path()).len(), 3, "something was left behind");
}

#[test]
fn another_key_becomes_the_one_that_is_named() {
    let (folder, old, new) =
        (tempfile::tempdir().unwrap(), SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]));
    pack(folder.path(), &old);
    sign(folder.path(), &old).unwrap();
    sign(folder.path(), &new).unwrap();
    let once = files(folder.path());

    let manifest = fs::read(folder.path().join("kernels.json")).unwrap();
    let signature = fs::read(folder.path().join("kernels.json.sig")).unwrap();
    assert_eq!(Manifest::parse(&manifest).unwrap().author.signing_key, new.public().id());
    KernelPackVerifier::new([new.public()]).verify(&manifest, &signature).unwrap();
    KernelPackVerifier::new([old.public()]).verify(&manifest, &signature).unwrap_err();

    sign(folder.path(), &new).unwrap();
    assert_eq!(files(folder.path()), once, "signing twice gives other bytes");
}

#[test]
fn a_changed_module_is_not_vouched_for() {
    let (folder, key) = (tempfile::tempdir().unwrap(), SecretKey::from_seed([1; 32]));
    pack(folder.path(), &key);
    fs::write(folder.path().join("k/k_f32.wasm"), b"another module").unwrap();
    let before = files(folder.path());
    let error = sign(folder.path(), &SecretKey::from_seed([2; 32])).unwrap_err().to_string();
    assert!(error.contains("k_f32.wasm has the digest sha256:"), "{error}");
    assert!(error.ends_with("somebody changed the module, so build the pack again"), "{error}");
    assert_eq!(files(folder.path()), before);
}

#[test]
fn a_missing_module_or_manifest_is_named() {
    let (folder, key) = (tempfile::tempdir().unwrap(), SecretKey::from_seed([1; 32]));
    let error = sign(folder.path(), &key).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("kernels.json"), "{error}");
    pack(folder.path(), &key);
    fs::remove_file(folder.path().join("k/k_f32.wasm")).unwrap();
    let error = sign(folder.path(), &key).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("k_f32.wasm"), "{error}");
    assert!(!folder.path().join("kernels.json.sig").exists());
}

#[test]
fn a_manifest_that_no_host_would_read_is_not_signed() {
    let (folder, key) = (tempfile::tempdir().unwrap(), SecretKey::from_seed([1; 32]));
    pack(folder.path(), &key);
    let path = folder.path().join("kernels.json");
    let text = fs::read_to_string(&path).unwrap();
    // A path out of the pack: were it followed, its digest could even be right.
    fs::write(&path, text.replace("k/k_f32.wasm", "../k/k_f32.wasm")).unwrap();
    let error = sign(folder.path(), &key).unwrap_err().to_string();
    assert!(error.contains("kernels.json cannot be signed: "), "{error}");
    assert!(!folder.path().join("kernels.json.sig").exists());
}
