//! A manifest with every field that a device reads, and the key that signs it.
#![allow(dead_code, reason = "each test uses some of it")]

use kernelpack_manifest::SecretKey;
use kernelpack_verify::{Digest, Engine, TrustedKey, Version};

/// The keys of RFC 8032, section 7.1, tests 1 and 2; the second one signs.
pub(crate) const KEYS: [TrustedKey; 2] = [
    TrustedKey::new([
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1,
        0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
    ]),
    TrustedKey::new([
        0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98,
        0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c,
    ]),
];

const SEED: [u8; 32] = [
    0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a, 0x31,
    0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb,
];

pub(crate) fn secret() -> SecretKey {
    SecretKey::from_seed(SEED)
}

pub(crate) fn sign(manifest: &[u8]) -> [u8; 64] {
    secret().sign(manifest)
}

pub(crate) fn engine(features: &'static [&'static str]) -> Engine<'static> {
    Engine { name: "wamr", version: Version::parse("2.4.3").unwrap(), features }
}

/// Returns a manifest of two kernels, of which only the first lists platforms, with native code for WAMR.
pub(crate) fn manifest() -> String {
    let [simd, scalar, thumb, x86, l] = [&b"simd"[..], b"scalar", b"thumb", b"x86", b"l"].map(Digest::of);
    let key = kernelpack_manifest::PublicKey::from_bytes(&KEYS[1].key).unwrap();
    format!(
        r#"{{
  "$schema": "https://kernelpack.dev/schemas/kernel-pack-v1.json",
  "abi_version": 1,
  "name": "a \"pack\"",
  "version": "1.2.3-rc.1",
  "description": "Löst \u00fcbersch\u00e4umend\nalles.",
  "min_runtime_version": "1.0.0",
  "max_runtime_version": "2.0.0",
  "created_at": "2026-01-18T00:00:00Z",
  "author": {{ "name": "Ada", "email": "ada@example.org", "signing_key": "{key}" }},
  "kernels": [
    {{
      "id": "k_f32", "name": "K", "category": "activation", "path": "k/k_f32.wasm", "hash": "{simd}",
      "entry_point": "k_forward",
      "inputs": [{{ "name": "x", "index": 0, "dtype": "f32", "shape": ["rows", 32] }}],
      "outputs": [{{ "name": "y", "index": 1, "dtype": "q8_0", "shape": ["rows", 32] }}],
      "params": {{ "eps": {{ "index": 0, "type": "f32", "default": 1e-5 }} }},
      "resource_limits": {{ "max_memory_pages": 16, "max_epoch_ticks": 10, "max_table_elements": 0 }},
      "platforms": {{
        "wasmtime": {{ "min_version": "48.0.0", "features": ["simd128"] }},
        "wamr": {{
          "min_version": "2.4.3",
          "module": {{ "path": "k/k_f32.scalar.wasm", "hash": "{scalar}" }},
          "aot_available": true,
          "aot": [
            {{ "target": "x86_64", "path": "k/k_f32.x86_64.aot", "hash": "{x86}", "source": "{scalar}",
              "version": "2.4.3", "options": ["bounds-checks", "stack-checks", "termination-checks"] }},
            {{ "target": "thumbv7em", "path": "k/k_f32.thumbv7em.aot", "hash": "{thumb}", "source": "{scalar}",
              "version": "2.4.3", "options": ["bounds-checks", "stack-checks", "termination-checks", "size=3"] }}
          ]
        }}
      }},
      "benchmarks": {{ "rows_1": {{ "latency_us": 4.5e1 }} }}
    }},
    {{
      "id": "l_f32", "path": "k/l_f32.wasm", "name": "L", "category": "activation", "hash": "{l}",
      "entry_point": "l_forward",
      "inputs": [{{ "name": "x", "index": 0, "dtype": "f32", "shape": ["rows"] }}],
      "outputs": [{{ "name": "y", "index": 1, "dtype": "f32", "shape": ["rows"] }}],
      "resource_limits": {{ "max_memory_pages": 16, "max_epoch_ticks": 1000, "max_table_elements": 0,
        "max_instances": 4, "max_stack_bytes": 65536 }}
    }}
  ],
  "fallbacks": {{ "k_f32": "k_reference" }}
}}
"#
    )
}

/// Returns the manifest with the first occurrence of this text replaced.
#[track_caller]
pub(crate) fn replaced(from: &str, to: &str) -> String {
    let manifest = manifest();
    assert!(manifest.contains(from), "{from}");
    manifest.replacen(from, to, 1)
}
