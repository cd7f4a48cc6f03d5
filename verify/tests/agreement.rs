//! A device accepts nothing that a host refuses, except faults in parts that devices do not read.

mod common;

use std::time::SystemTime;

use common::{KEYS, engine, manifest, secret, sign};
use kernelpack_manifest::{AotTarget, KernelFault, KernelPackVerifier, Manifest, Rejected};
use kernelpack_verify::{Digest, PublicKey, Verifier, Version};
use proptest::{prelude::*, sample::Index};

/// Returns whether a host refused a manifest because of something that devices do not read.
fn is_beyond_devices(rejected: &Rejected) -> bool {
    match rejected {
        Rejected::BadTime { .. } | Rejected::BadSigningKey(_) | Rejected::UnknownFallback { .. } => true,
        Rejected::ControlCharacters { field, .. } => *field != "name",
        Rejected::Kernel { fault, .. } => !matches!(
            fault,
            KernelFault::BadName { what: "kernel" | "entry point", .. }
                | KernelFault::ReservedEntryPoint { .. }
                | KernelFault::PathDisagrees { .. }
                | KernelFault::MemoryLimit { .. }
                | KernelFault::TickLimit
                | KernelFault::InstanceLimit { .. }
                | KernelFault::StackLimit { .. }
                | KernelFault::BadPlatform { .. }
                | KernelFault::VariantPath { .. }
                | KernelFault::BadAotOption { .. }
                | KernelFault::UncheckedAot { .. }
                | KernelFault::DuplicateAot { .. }
                | KernelFault::StaleAot { .. }
                | KernelFault::AotPath { .. }
        ),
        Rejected::Malformed { path, message, .. } => {
            let fields = ["inputs", "outputs", "params", "benchmarks", "name", "category", "description"];
            message.contains("number out of range")
                || ["description", "created_at", "author", "fallbacks"].iter().any(|field| path.starts_with(field))
                || path
                    .strip_prefix("kernels[")
                    .and_then(|path| path.split_once("]."))
                    .is_some_and(|(_, path)| fields.iter().any(|field| path.starts_with(field)))
        }
        _ => false,
    }
}

/// Compares a device's reading of a manifest with a host's.
fn compare(text: &[u8]) -> Result<bool, TestCaseError> {
    let signature = sign(text);
    let keys = KEYS.map(kernelpack_verify::TrustedKey::with_native);
    let device = Verifier::new(&keys).verify(text, &signature, None);
    let host = KernelPackVerifier::new([secret().public()]).verify(text, &signature, SystemTime::now());
    let (device, host) = match (device, host) {
        (Err(_), _) => return Ok(false),
        (Ok(_), Err(rejected)) if is_beyond_devices(&rejected) => return Ok(false),
        // A device finds these only when the kernel is requested.
        (Ok(device), Err(Rejected::DuplicateKernel { id })) => {
            prop_assert!(device.kernel(&id, &engine(&[])).is_err());
            return Ok(false);
        }
        (Ok(device), Err(Rejected::DuplicatePath { first, second, .. })) => {
            prop_assert!(device.kernel(&first, &engine(&[])).is_err());
            prop_assert!(device.kernel(&second, &engine(&[])).is_err());
            return Ok(false);
        }
        (Ok(_), Err(rejected)) => return Err(TestCaseError::fail(rejected.to_string())),
        (Ok(device), Ok(host)) => (device, host),
    };
    prop_assert_eq!(&device.name().to_string(), &host.name);
    prop_assert_eq!(device.version().as_str(), host.version.to_string());
    prop_assert_eq!(device.min_runtime_version().as_str(), host.min_runtime_version.to_string());
    prop_assert_eq!(device.max_runtime_version().as_str(), host.max_runtime_version.to_string());
    prop_assert_eq!(device.digest().0, host.digest().0);
    for kernel in &host.kernels {
        for (name, platform) in &kernel.platforms {
            let version = platform.min_version.to_string();
            let features: Vec<&str> = platform.features.iter().map(String::as_str).collect();
            let engine =
                kernelpack_verify::Engine { name, version: Version::parse(&version).unwrap(), features: &features };
            let read =
                device.kernel(&kernel.id, &engine).map_err(|refused| TestCaseError::fail(refused.to_string()))?;
            prop_assert_eq!(read.id(), &kernel.id);
            prop_assert_eq!(read.entry_point(), &kernel.entry_point);
            let module = kernel.module_for(name);
            prop_assert_eq!((read.module().path, read.module().hash.0), (module.path, module.hash.0));
            for target in AotTarget::ALL {
                let code = kernel.aot_for(name, target);
                let expected = code.map(|code| (code.path.as_str(), code.hash.0, code.version.to_string()));
                let found = read.code(target.name(), &engine);
                if let Some((path, hash, _)) =
                    expected.as_ref().filter(|(.., version)| version == engine.version.as_str())
                {
                    prop_assert_eq!(found.map(|code| (code.path, code.hash.0)), Ok((*path, *hash)));
                } else {
                    prop_assert!(found.is_err());
                }
            }
            prop_assert_eq!(read.limits(), kernel.resource_limits);
        }
        let other = kernelpack_verify::Engine { name: "another", ..engine(&[]) };
        prop_assert_eq!(device.kernel(&kernel.id, &other).is_ok(), kernel.platforms.is_empty());
    }
    Ok(true)
}

/// Texts that replace other parts of a manifest.
fn piece() -> impl Strategy<Value = String> {
    const TOKENS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u0061",
        "\\\"",
        "0",
        "-1",
        "1e999",
        "16.0",
        "true",
        "null",
        "\"\"",
        "\"id\"",
        "\"k_f32\"",
        "\"l_f32\"",
        "\"k/k_f32.wasm\"",
        "\"hash\":",
        "\"path\": \"k/k_f32.wasm\",",
        "\"a\": 1,",
        "\"\\u0069d\":",
        "\"platforms\": {},",
        " ",
        "\n",
        "\u{feff}",
        "é",
        "\"1.0.0-01\"",
        "\"1.0.0+a\"",
    ];
    prop_oneof![proptest::sample::select(TOKENS).prop_map(str::to_owned), "[ -~]{0,3}"]
}

#[test]
fn both_read_the_manifest() {
    assert!(compare(manifest().as_bytes()).unwrap());
    let manifest = Manifest::parse(manifest().as_bytes()).unwrap();
    assert!(compare(&manifest.to_json()).unwrap());
    assert!(compare(&serde_json::to_vec(&manifest).unwrap()).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_changed_manifest_is_not_read_in_two_ways(
        changes in proptest::collection::vec((any::<Index>(), 0..20_usize, piece()), 1..4),
    ) {
        let mut text = manifest();
        for (at, len, piece) in changes {
            let at = text.floor_char_boundary(at.index(text.len()));
            let end = text.ceil_char_boundary((at + len).min(text.len()));
            text.replace_range(at..end, &piece);
        }
        compare(text.as_bytes())?;
    }

    /// Replaces whole values and keys, so that the result is more often JSON.
    #[test]
    fn an_exchanged_value_is_not_read_in_two_ways(from in any::<Index>(), to in any::<Index>(), piece in piece()) {
        let text = manifest();
        let parts: Vec<&str> = text.split_inclusive([',', ':', '{', '}', '[', ']']).collect();
        for insert in [parts[from.index(parts.len())], &piece] {
            let mut parts = parts.clone();
            let to = to.index(parts.len());
            parts[to] = insert;
            compare(parts.concat().as_bytes())?;
            parts.insert(to, insert);
            compare(parts.concat().as_bytes())?;
        }
    }

    #[test]
    fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(!compare(&bytes)?);
    }

    #[test]
    fn versions_are_those_of_semver(
        a in "[0-3]{1,2}\\.[01]\\.[0-9]{1,20}(-[0-9a-b.-]{0,4})?(\\+[0-9a.]{0,3})?",
        b in "[0-3]\\.[01]\\.[01](-[0-9a-b.]{1,4})?",
    ) {
        let (ours, theirs) = (Version::parse(&a), semver::Version::parse(&a));
        prop_assert_eq!(ours.is_some(), theirs.is_ok(), "{}", a);
        if let (Some(a), Ok(theirs_a)) = (ours, theirs)
            && let (Some(b), Ok(theirs_b)) = (Version::parse(&b), semver::Version::parse(&b))
        {
            prop_assert_eq!(a.cmp_precedence(&b), theirs_a.cmp_precedence(&theirs_b));
        }
    }

    #[test]
    fn keys_and_digests_have_one_text(seed in any::<[u8; 32]>(), at in any::<Index>(), other in any::<char>()) {
        let key = kernelpack_manifest::SecretKey::from_seed(seed).public().to_string();
        let digest = Digest(seed).to_string();
        prop_assert_eq!(&PublicKey::parse(&key).unwrap().to_string(), &key);
        prop_assert_eq!(Digest::parse(&digest).unwrap(), Digest(seed));
        for text in [key, digest] {
            let mut changed = text.clone();
            let at = at.index(text.len());
            changed.replace_range(at..at + 1, other.encode_utf8(&mut [0; 4]));
            let key = PublicKey::parse(&changed).ok().map(|key| key.to_string());
            let digest = Digest::parse(&changed).map(|digest| digest.to_string());
            // A value that was read is written identically, so no two texts have the same value.
            prop_assert!(key.or(digest).is_none_or(|read| read == changed));
        }
    }
}

/// Numbers and strings are read in the same way as by another JSON reader.
#[test]
fn json_is_what_others_take_for_it() {
    let mut accepted = 0;
    let alphabet: Vec<&str> = vec![
        "0", "1", "-", "+", ".", "e", "E", "\"", "\\", "u00e9", "[", "]", "{", "}", ":", ",", " ", "t", "null", "true",
    ];
    let mut texts = vec![String::new()];
    for _ in 0..4 {
        let longer: Vec<String> =
            texts.iter().flat_map(|text| alphabet.iter().map(move |part| format!("{text}{part}"))).collect();
        for value in &longer {
            let text = manifest().replace("4.5e1", value);
            let device = Verifier::new(&KEYS).verify(text.as_bytes(), &sign(text.as_bytes()), None).is_ok();
            let other = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            assert_eq!(device, other, "{value}");
            accepted += u32::from(device);
        }
        texts = longer;
        if texts.len() > 5000 {
            break;
        }
    }
    assert!(accepted > 50, "{accepted}");
}
