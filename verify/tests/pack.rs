//! Tests that a device reads and verifies a pack correctly.

mod common;

use common::{KEYS, engine, manifest, replaced, sign};
use kernelpack_verify::{Digest, JsonFault, Refused, SignedManifest, TrustedKey, Verifier, Version};

fn verify<'m>(manifest: &'m str, signature: &[u8]) -> Result<SignedManifest<'m>, Refused> {
    Verifier::new(&KEYS).verify(manifest.as_bytes(), signature, None)
}

#[track_caller]
fn refused(manifest: &str) -> Refused {
    match verify(manifest, &sign(manifest.as_bytes())) {
        Err(refused) => refused,
        Ok(read) => match read.kernel("k_f32", &engine(&["simd128"])) {
            Err(refused) => refused,
            Ok(_) => panic!("accepted: {manifest}"),
        },
    }
}

#[test]
fn a_device_learns_what_to_load() {
    let text = manifest();
    let manifest = verify(&text, &sign(text.as_bytes())).unwrap();
    assert_eq!((manifest.name().to_string().as_str(), manifest.version().as_str()), ("a \"pack\"", "1.2.3-rc.1"));
    assert_eq!(manifest.signer(), 1);
    assert_eq!(manifest.digest(), Digest::of(text.as_bytes()));
    for (version, answer) in [
        ("1.0.0", Ok(())),
        ("2.0.0+x", Ok(())),
        ("1.0.0-rc.1", Err(Refused::RuntimeTooOld)),
        ("2.0.1", Err(Refused::RuntimeTooNew)),
    ] {
        assert_eq!(manifest.check_runtime(&Version::parse(version).unwrap()), answer, "{version}");
    }

    let kernel = manifest.kernel("k_f32", &engine(&[])).unwrap();
    assert_eq!((kernel.id(), kernel.entry_point()), ("k_f32", "k_forward"));
    assert_eq!((kernel.limits().max_memory_pages, kernel.limits().max_instances), (16, 64));
    assert_eq!(kernel.module().path, "k/k_f32.scalar.wasm");
    assert_eq!(kernel.verify_module(b"scalar").unwrap().bytes(), b"scalar");
    let (expected, actual) = (Digest::of(b"scalar"), Digest::of(b"simd"));
    assert_eq!(kernel.verify_module(b"simd").map(|_| ()), Err(Refused::HashMismatch { expected, actual }));

    // A kernel that lists no platforms runs on any engine.
    let other = manifest.kernel("l_f32", &engine(&[])).unwrap();
    assert_eq!(other.module().path, "k/l_f32.wasm");
    assert!(other.verify_module(b"l").is_ok());
    assert_eq!(manifest.kernel("m_f32", &engine(&[])).map(|_| ()), Err(Refused::UnknownKernel));
}

#[test]
fn native_code_needs_a_key_that_is_trusted_with_it() {
    let text = manifest();
    let signature = sign(text.as_bytes());
    let kernel = verify(&text, &signature).unwrap().kernel("k_f32", &engine(&[])).unwrap();
    assert_eq!(kernel.code("thumbv7em", &engine(&[])), Err(Refused::NotForNative));
    assert!(kernel.verify_code("thumbv7em", &engine(&[]), b"thumb").is_err());

    let keys = [KEYS[1].with_native()];
    let manifest = Verifier::new(&keys).verify(text.as_bytes(), &signature, None).unwrap();
    let kernel = manifest.kernel("k_f32", &engine(&[])).unwrap();
    assert_eq!(kernel.verify_code("thumbv7em", &engine(&[]), b"thumb").unwrap().bytes(), b"thumb");
    assert!(matches!(
        kernel.verify_code("x86_64", &engine(&[]), b"thumb").map(|_| ()),
        Err(Refused::HashMismatch { .. })
    ));
    assert_eq!(kernel.code("aarch64", &engine(&[])), Err(Refused::NoCode));
    let newer = kernelpack_verify::Engine { version: Version::parse("2.4.4").unwrap(), ..engine(&[]) };
    assert_eq!(kernel.code("thumbv7em", &newer), Err(Refused::CodeVersion));
    // If a key is listed twice, the stricter entry applies.
    let keys = [KEYS[1].with_native(), KEYS[1]];
    let manifest = Verifier::new(&keys).verify(text.as_bytes(), &signature, None).unwrap();
    let kernel = manifest.kernel("k_f32", &engine(&[])).unwrap();
    assert_eq!(kernel.code("thumbv7em", &engine(&[])), Err(Refused::NotForNative));
}

#[test]
fn only_a_trusted_key_counts() {
    let text = manifest();
    let (bytes, signature) = (text.as_bytes(), sign(text.as_bytes()));
    let judge = |keys: &[TrustedKey], now| Verifier::new(keys).verify(bytes, &signature, now).map(|read| read.signer());
    let [other, signer] = KEYS;
    assert_eq!(judge(&[], None), Err(Refused::NoKeys));
    assert_eq!(judge(&[other], None), Err(Refused::NoTrustedKey));
    assert_eq!(judge(&[signer.revoked()], None), Err(Refused::KeyRevoked { index: 0 }));
    // The key stays revoked, however else it is trusted and wherever it is listed.
    assert_eq!(judge(&[other, signer, signer.revoked()], None), Err(Refused::KeyRevoked { index: 2 }));
    assert_eq!(judge(&[signer.until(1000)], Some(1000)), Ok(0));
    assert_eq!(judge(&[signer.until(1000)], Some(1001)), Err(Refused::KeyExpired { index: 0, not_after: 1000 }));
    assert_eq!(judge(&[signer.until(1000)], None), Err(Refused::NoClock { index: 0 }));
    assert_eq!(judge(&[signer.until(1000).revoked()], None), Err(Refused::KeyRevoked { index: 0 }));
    let weak = TrustedKey::new([0; 32]);
    assert!(matches!(judge(&[weak, signer], None), Err(Refused::BadKey { index: 0, .. })));

    for len in [0, 63, 65] {
        let answer = Verifier::new(&KEYS).verify(bytes, &[0; 65][..len], None).map(|_| ());
        assert_eq!(answer, Err(Refused::MalformedSignature { len }));
    }
    let mut changed = bytes.to_vec();
    changed[100] ^= 1;
    let answer = Verifier::new(&KEYS).verify(&changed, &signature, None).map(|_| ());
    assert_eq!(answer, Err(Refused::NoTrustedKey));
    let size = kernelpack_verify::MAX_MANIFEST_BYTES + 1;
    let answer = Verifier::new(&KEYS).verify(&vec![b' '; size], &signature, None).map(|_| ());
    assert_eq!(answer, Err(Refused::TooLarge { size }));
}

#[test]
fn an_engine_must_do() {
    let text = manifest();
    let manifest = verify(&text, &sign(text.as_bytes())).unwrap();
    let ask = |name, version, features| {
        let engine = kernelpack_verify::Engine { name, version: Version::parse(version).unwrap(), features };
        manifest.kernel("k_f32", &engine).map(|kernel| kernel.module().path)
    };
    assert_eq!(ask("wasmtime", "48.0.0", &["simd128"]), Ok("k/k_f32.wasm"));
    assert_eq!(ask("wasmtime", "48.0.0", &[]), Err(Refused::MissingFeature));
    assert_eq!(ask("wasmtime", "47.9.9", &["simd128"]), Err(Refused::EngineTooOld));
    assert_eq!(ask("wasm3", "1.0.0", &["simd128"]), Err(Refused::UnsupportedEngine));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let twice = |manifest: &str| match refused(manifest) {
        Refused::Json { fault: JsonFault::RepeatedKey, .. } => {}
        other => panic!("{manifest}: {other}"),
    };
    for key in [
        "$schema",
        "abi_version",
        "kernels",
        "id",
        "hash",
        "max_memory_pages",
        "platforms",
        "wamr",
        "min_version",
        "module",
        "options",
        "email",
        "dtype",
        "shape",
        "eps",
        "k_f32",
    ] {
        // Repeats the field with the same value.
        let text = manifest();
        let (start, value) = (text.find(&format!("\"{key}\":")).unwrap(), key.len() + 3);
        let mut values = serde_json::Deserializer::from_str(&text[start + value..]).into_iter::<serde_json::Value>();
        values.next().unwrap().unwrap();
        let end = start + value + values.byte_offset();
        twice(&format!("{},{}", &text[..end], &text[start..]));
    }
    twice(&replaced("\"email\":", "\"em\\u0061il\": \"\", \"email\":"));
    twice(&replaced("\"hash\":", &format!("\"h\\u0061sh\": \"{}\", \"hash\":", Digest::of(b""))));
    twice(&replaced("\"eps\":", "\"\\u0065ps\": {}, \"a\": {}, \"eps\":"));
}

#[test]
fn what_is_not_as_it_should_be_is_refused() {
    let fault = |fault| move |refused: Refused| matches!(refused, Refused::Json { fault: found, .. } if found == fault);
    let bad = |field| move |refused: Refused| matches!(refused, Refused::Bad { field: found, .. } if found == field);
    let missing =
        |field| move |refused: Refused| matches!(refused, Refused::Missing { field: found, .. } if found == field);
    #[track_caller]
    fn expect(from: &str, to: &str, is: impl Fn(Refused) -> bool) {
        let refused = refused(&replaced(from, to));
        assert!(is(refused), "{to}: {refused:?}");
        assert!(!refused.to_string().is_empty());
    }
    expect("\"category\":", "\"colour\": 0, \"category\":", fault(JsonFault::UnknownField));
    expect("\"max_memory_pages\":", "\"colour\": 0, \"max_memory_pages\":", fault(JsonFault::UnknownField));
    expect("\"k/k_f32.wasm\"", "\"k\\/k_f32.wasm\"", fault(JsonFault::Escaped));
    expect("\"latency_us\": 4.5e1", "\"latency_us\": [[[[[[[[[[[[0]]]]]]]]]]]]", fault(JsonFault::TooDeep));
    for value in ["16.0", "1e1", "-1", "4294967296", "-0"] {
        expect("\"max_memory_pages\": 16", &format!("\"max_memory_pages\": {value}"), fault(JsonFault::NotU32));
    }
    for value in [
        "016",
        "+1",
        ".5",
        "1.",
        "1e",
        "0x1",
        "",
        "NaN",
        "tru",
        "'a'",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\n\"",
        "\"",
        "[",
        "{",
        "/**/1",
        "\u{feff}1",
        "1 1",
    ] {
        expect("\"latency_us\": 4.5e1", &format!("\"latency_us\": {value}"), fault(JsonFault::Syntax));
    }
    expect("\"max_memory_pages\": 16", "\"max_memory_pages\": 0", bad("resource_limits"));
    expect("\"max_epoch_ticks\": 10", "\"max_epoch_ticks\": 0", bad("resource_limits"));
    expect("\"max_epoch_ticks\": 10", "\"max_epoch_ticks\": 10, \"max_instances\": 4097", bad("resource_limits"));
    expect("\"max_epoch_ticks\": 10", "\"max_epoch_ticks\": 10, \"max_stack_bytes\": 65537", bad("resource_limits"));
    expect("\"k/k_f32.wasm\"", "\"../k_f32.wasm\"", bad("path"));
    expect("\"k/k_f32.wasm\"", "\"k/l_f32.wasm\"", bad("path"));
    expect("\"k/k_f32.wasm\"", "\"k_f32.wasm\"", bad("path"));
    expect("\"k/k_f32.scalar.wasm\"", "\"k/../k.wasm\"", bad("path"));
    expect("\"id\": \"k_f32\"", "\"id\": \"\"", bad("id"));
    expect("\"k_forward\"", "\"kernel_forward\"", bad("entry_point"));
    expect("sha256:", "sha512:", bad("hash"));
    expect("\"1.2.3-rc.1\"", "\"1.2\"", bad("version"));
    expect("\"min_runtime_version\": \"1.0.0\"", "\"min_runtime_version\": \"2.0.1\"", bad("max_runtime_version"));
    expect("\"a \\\"pack\\\"\"", "\"\"", bad("name"));
    expect("\"a \\\"pack\\\"\"", "\"a\\u202eb\"", bad("name"));
    expect("\"wamr\":", "\"WAMR\":", bad("platforms"));
    expect("[\"simd128\"]", "[\"simd128\", \"simd128\"]", bad("features"));
    expect("\"termination-checks\"", "\"other-checks\"", bad("options"));
    expect("\"x86_64\"", "\"thumbv7em\"", bad("target"));
    expect("\"id\": \"k_f32\", ", "", missing("id"));
    expect("\"entry_point\": \"k_forward\",", "", missing("entry_point"));
    expect("\"min_version\": \"48.0.0\",", "", missing("min_version"));
    expect("\"abi_version\": 1,", "", missing("abi_version"));
    expect("\"abi_version\": 1", "\"abi_version\": 2", |refused| refused == Refused::Abi { found: 2 });
    expect("kernel-pack-v1", "kernel-pack-v2", |refused| refused == Refused::Schema);
    expect(
        "\"id\": \"l_f32\", \"path\": \"k/l_f32.wasm\"",
        "\"id\": \"k_f32\", \"path\": \"l/k_f32.wasm\"",
        |refused| matches!(refused, Refused::DuplicateKernel { .. }),
    );
    expect("\"k/k_f32.scalar.wasm\"", "\"k/l_f32.scalar.wasm\"", bad("module"));
    expect("\"k/k_f32.x86_64.aot\"", "\"k/k_f32.aarch64.aot\"", bad("aot"));
    expect("\"options\": [", "\"options\": [\"A\", ", bad("options"));
    expect("\"source\": \"sha256:", "\"source\": \"sha256:00", bad("hash"));
    let duplicate = |refused| matches!(refused, Refused::DuplicateFile { .. });
    expect("\"id\": \"l_f32\", \"path\": \"k/l_f32.wasm\"", "\"id\": \"K_f32\", \"path\": \"K/K_f32.wasm\"", duplicate);
    let twice = format!(
        "\"wasmtime\": {{ \"module\": {{ \"path\": \"k/k_f32.scalar.wasm\", \"hash\": \"{}\" }},",
        Digest::of(b"scalar")
    );
    expect("\"wasmtime\": {", &twice, duplicate);
    let text = manifest();
    assert!(fault(JsonFault::Syntax)(refused(&format!("{text} {{}}"))));
    let none = format!("{}[]{}", &text[..text.find("[\n    {").unwrap()], &text[text.rfind("]").unwrap() + 1..]);
    assert_eq!(refused(&none), Refused::KernelCount { count: 0 });
    let mut bytes = text.into_bytes();
    bytes[30] = 0xff;
    let answer = Verifier::new(&KEYS).verify(&bytes, &sign(&bytes), None).map(|_| ());
    assert_eq!(answer, Err(Refused::NotUtf8 { at: 30 }));
}

#[test]
fn no_part_of_a_manifest_is_a_manifest() {
    let text = manifest();
    for end in 0..text.trim_end().len() {
        if text.is_char_boundary(end) {
            refused(&text[..end]);
        }
    }
}
