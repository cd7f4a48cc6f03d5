//! Signing an existing pack.

mod common;

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::SystemTime};

use common::{files, openssl_verifies};
use kernelpack_abi::{ABI_VERSION, KernelSpec, KernelSpecBuf, Lifecycle, ResourceLimits, Signature, section};
use kernelpack_manifest::{
    Author, Benchmark, Digest, Kernel, KernelPackVerifier, MAX_MANIFEST_BYTES, MAX_MODULE_BYTES, Manifest, Rejected,
    SCHEMA, SecretKey,
};
use kernelpack_packer::{SignError, sign};
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
    split: &[],
};

const OTHER: KernelSpec<'static> = KernelSpec { id: "other_f32", ..SPEC };
const ENTRY: [u8; section::encoded_len(&SPEC, "test 1.0.0")] = section::encode(&SPEC, "test 1.0.0");
const OTHER_ENTRY: [u8; section::encoded_len(&OTHER, "test 1.0.0")] = section::encode(&OTHER, "test 1.0.0");

/// Makes the module of a kernel with this entry in its custom section.
fn module(entry: &[u8]) -> Vec<u8> {
    let entry: String = entry.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = r#"(module
      (memory (export "memory") 2 16)
      (global (export "kernel_abi_version") i32 (i32.const 1))
      (global (export "__heap_base") i32 (i32.const 131072))
      (global (export "kernel_message") i32 (i32.const 130812))
      (func (export "kernel_forward") (export "k_forward") (param i32) (result i32) i32.const 0)
      (func (export "kernel_info") (param i32) (result i32) i32.const 0)
      (@custom "kernelpack.spec" "ENTRY"))"#;
    wat::parse_str(text.replace("ENTRY", &entry)).unwrap()
}

/// Writes an unsigned pack that names this key.
fn pack(folder: &Path, key: &SecretKey) {
    let module = module(&ENTRY);
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
        kernels: vec![Kernel::from_spec(&spec, Digest::of(&module), BTreeMap::new(), BTreeMap::new()).unwrap()],
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
    KernelPackVerifier::new([key.public()]).verify(&manifest, &signature, SystemTime::now()).unwrap();
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
    KernelPackVerifier::new([new.public()]).verify(&manifest, &signature, SystemTime::now()).unwrap();
    KernelPackVerifier::new([old.public()]).verify(&manifest, &signature, SystemTime::now()).unwrap_err();

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
    assert!(error.ends_with("the file has changed since, so build the pack again"), "{error}");
    assert_eq!(files(folder.path()), before);
}

/// Returns the reason why signing the pack is refused; the pack must stay unchanged.
#[track_caller]
fn refused(folder: &Path) -> Rejected {
    let signature = folder.join("kernels.json.sig");
    let before = fs::symlink_metadata(&signature).ok().map(|metadata| metadata.file_type());
    let found = match sign(folder, &SecretKey::from_seed([2; 32])).unwrap_err() {
        SignError::Refused { fault, .. } => *fault,
        other => panic!("{other}"),
    };
    assert_eq!(fs::symlink_metadata(&signature).ok().map(|metadata| metadata.file_type()), before);
    found
}

/// Returns the reason why signing is refused after this change to a pack.
#[track_caller]
fn refused_with(change: impl FnOnce(&Path)) -> Rejected {
    let folder = tempfile::tempdir().unwrap();
    pack(folder.path(), &SecretKey::from_seed([1; 32]));
    change(folder.path());
    refused(folder.path())
}

#[test]
fn a_module_that_is_not_what_its_entry_says_is_not_vouched_for() {
    for (module, reason) in [(module(&OTHER_ENTRY), "other_f32"), (b"no module".to_vec(), "WebAssembly")] {
        let found = refused_with(|folder| {
            // An attacker who replaces the module can also write its digest.
            let text = fs::read_to_string(folder.join("kernels.json")).unwrap();
            let text = text.replace(&Digest::of(&self::module(&ENTRY)).to_string(), &Digest::of(&module).to_string());
            fs::write(folder.join("kernels.json"), text).unwrap();
            fs::write(folder.join("k/k_f32.wasm"), module).unwrap();
        });
        assert!(matches!(&found, Rejected::Module { kernel, .. } if kernel == "k_f32"), "{found}");
        assert!(found.to_string().contains(reason), "{found}");
    }
}

#[test]
fn files_that_the_manifest_does_not_name_are_not_vouched_for() {
    for path in ["notes.txt", "k/notes.txt", "k/.hidden", "empty/", "k/deeper/"] {
        let found = refused_with(|folder| match path.strip_suffix('/') {
            Some(path) => fs::create_dir(folder.join(path)).unwrap(),
            None => fs::write(folder.join(path), "x").unwrap(),
        });
        assert_eq!(found, Rejected::UnexpectedFile { path: path.trim_end_matches('/').into() });
    }
}

#[test]
fn files_that_are_too_large_are_not_read() {
    for (path, limit) in [("kernels.json", MAX_MANIFEST_BYTES as u64), ("k/k_f32.wasm", MAX_MODULE_BYTES as u64)] {
        let enlarge = |folder: &Path| {
            fs::OpenOptions::new().write(true).open(folder.join(path)).unwrap().set_len(limit + 1).unwrap();
        };
        assert_eq!(refused_with(enlarge), Rejected::FileTooLarge { path: path.into(), limit });
    }
}

#[test]
fn another_key_changes_no_other_byte() {
    let (folder, key) = (tempfile::tempdir().unwrap(), SecretKey::from_seed([2; 32]));
    let named = SecretKey::from_seed([1; 32]);
    pack(folder.path(), &named);
    let path = folder.path().join("kernels.json");
    let mut manifest = Manifest::parse(&fs::read(&path).unwrap()).unwrap();
    let benchmark = Benchmark { latency_us: 1.0, throughput_gflops: None };
    manifest.kernels[0].benchmarks = (0..100_000).map(|at| (format!("b{at}"), benchmark)).collect();
    // The manifest is below the size limit on one line, and would be above it if it were formatted again. The author's
    // layout and escapes stay.
    let text: String = String::from_utf8(manifest.to_json()).unwrap().lines().map(str::trim_start).collect();
    let text = text.replace("\"name\"", "\"n\\u0061me\"");
    assert!(text.len() < MAX_MANIFEST_BYTES && manifest.to_json().len() > MAX_MANIFEST_BYTES);
    fs::write(&path, &text).unwrap();
    let content = Manifest::content(text.as_bytes()).unwrap();

    sign(folder.path(), &key).unwrap();
    let signed = fs::read_to_string(&path).unwrap();
    assert_eq!(signed, text.replace(&named.public().id(), &key.public().id()));
    assert_eq!(Manifest::content(signed.as_bytes()), Ok(content));
}

#[cfg(unix)]
#[test]
fn pipes_devices_links_and_folders_are_not_vouched_for() {
    use std::os::unix::fs::symlink;

    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    let device = |path: &Path| symlink("/dev/zero", path).unwrap();
    let folder = |path: &Path| fs::create_dir(path).unwrap();
    for name in ["kernels.json", "kernels.json.sig", "k/k_f32.wasm"] {
        for put in [&pipe as &dyn Fn(&Path), &device, &folder] {
            let found = refused_with(|folder| {
                let _ = fs::remove_file(folder.join(name));
                put(&folder.join(name));
            });
            let for_a_folder = Rejected::UnexpectedFile { path: name.into() };
            assert!(found == Rejected::NotAFile { path: name.into() } || found == for_a_folder, "{found}");
        }
    }
    let elsewhere = tempfile::tempdir().unwrap();
    for (name, expected) in [
        ("kernels.json", Rejected::NotAFile { path: "kernels.json".into() }),
        ("k/k_f32.wasm", Rejected::NotAFile { path: "k/k_f32.wasm".into() }),
        ("k", Rejected::UnexpectedFile { path: "k".into() }),
    ] {
        let found = refused_with(|folder| {
            let target = elsewhere.path().join(name.replace('/', "_"));
            fs::rename(folder.join(name), &target).unwrap();
            symlink(&target, folder.join(name)).unwrap();
        });
        assert_eq!(found, expected);
    }
}

#[test]
fn a_missing_module_or_manifest_is_named() {
    let (folder, key) = (tempfile::tempdir().unwrap(), SecretKey::from_seed([1; 32]));
    let error = sign(folder.path(), &key).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("kernels.json"), "{error}");
    pack(folder.path(), &key);
    fs::remove_file(folder.path().join("k/k_f32.wasm")).unwrap();
    assert_eq!(refused(folder.path()), Rejected::MissingFile { path: "k/k_f32.wasm".into() });
    assert!(!folder.path().join("kernels.json.sig").exists());
}

#[test]
fn a_manifest_that_no_host_would_read_is_not_signed() {
    let (folder, key) = (tempfile::tempdir().unwrap(), SecretKey::from_seed([1; 32]));
    pack(folder.path(), &key);
    let path = folder.path().join("kernels.json");
    let text = fs::read_to_string(&path).unwrap();
    // Uses a path that leads out of the pack to a file that could even have the right digest.
    fs::write(&path, text.replace("k/k_f32.wasm", "../k/k_f32.wasm")).unwrap();
    let error = sign(folder.path(), &key).unwrap_err().to_string();
    assert!(error.contains("kernels.json cannot be signed: "), "{error}");
    assert!(!folder.path().join("kernels.json.sig").exists());
}
