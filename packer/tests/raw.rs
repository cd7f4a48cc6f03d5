//! Tests reading a crate's module before any pass, and each way in which a module may declare no usable kernel.

use std::path::Path;

use kernelpack_abi::{KernelSpec, Lifecycle, ResourceLimits, Signature, section};
use kernelpack_packer::raw;

const fn spec(id: &'static str) -> KernelSpec<'static> {
    KernelSpec {
        id,
        name: "K",
        description: "",
        category: "c",
        family: "k",
        entry_point: "k_forward",
        fallback: "",
        limits: ResourceLimits::DEFAULT,
        lifecycle: Lifecycle { init: false, cleanup: true },
        forward: Signature { symbols: &[], tensors: &[], params: &[] },
        backward: None,
        split: &[],
    }
}

const A: KernelSpec<'static> = spec("a");
const B: KernelSpec<'static> = spec("b");
const ENTRY_A: [u8; section::encoded_len(&A, "one 1.0.0")] = section::encode(&A, "one 1.0.0");
const ENTRY_B: [u8; section::encoded_len(&B, "one 1.0.0")] = section::encode(&B, "one 1.0.0");
const OTHER_A: [u8; section::encoded_len(&A, "two 2.0.0")] = section::encode(&A, "two 2.0.0");

const EXPORTS_A: &[&str] =
    &["__kernelpack_forward_a", "__kernelpack_batch_a", "__kernelpack_info_a", "__kernelpack_cleanup_a"];

/// Returns the ids found in a module with these exports and these `kernelpack.spec` sections, or the error's text.
fn read(exports: &[&str], sections: &[&[u8]]) -> Result<Vec<String>, String> {
    let mut text = String::from("(module (func $f)");
    for export in exports {
        text += &format!("(export \"{export}\" (func $f))");
    }
    for content in sections {
        let bytes: String = content.iter().map(|byte| format!("\\{byte:02x}")).collect();
        text += &format!("(@custom \"kernelpack.spec\" \"{bytes}\")");
    }
    let wasm = wat::parse_str(text + ")").unwrap();
    let entries = raw::read(Path::new("target/k.wasm"), &wasm).map_err(|error| error.to_string())?;
    Ok(entries.into_iter().map(|entry| entry.spec.id).collect())
}

#[test]
fn kernels_come_sorted_by_id() {
    let both = [ENTRY_B.as_slice(), &ENTRY_A].concat();
    assert_eq!(read(EXPORTS_A, &[&ENTRY_A]).unwrap(), ["a"]);
    assert_eq!(read(EXPORTS_A, &[&both]).unwrap(), ["a", "b"]);
    assert_eq!(read(EXPORTS_A, &[&ENTRY_B, &ENTRY_A]).unwrap(), ["a", "b"], "sections that no linker joined");
}

#[test]
fn a_crate_without_kernels_is_told_apart_from_a_stripped_one() {
    let none = "target/k.wasm declares no kernel: annotate a function with #[kernel]";
    assert_eq!(read(&["memory_of_mine"], &[]).unwrap_err(), none);
    assert_eq!(read(&[], &[b""]).unwrap_err(), none);
    assert_eq!(
        read(EXPORTS_A, &[]).unwrap_err(),
        "target/k.wasm has kernels, but its kernelpack.spec section was stripped: keep custom sections"
    );
}

#[test]
fn an_unknown_schema_is_named_with_the_file_and_the_writer() {
    let mut newer = ENTRY_A;
    newer[8] = 9;
    assert_eq!(
        read(EXPORTS_A, &[&newer]).unwrap_err(),
        "the kernelpack.spec section of target/k.wasm is refused: \"one 1.0.0\" wrote it with schema version 9, but \
         this build reads version 3; use a newer kernelpack"
    );
    assert!(read(EXPORTS_A, &[&ENTRY_A[..20]]).unwrap_err().contains("target/k.wasm is refused: malformed at byte"));
}

#[test]
fn two_kernels_of_one_id_are_named_with_their_crates() {
    assert_eq!(
        read(EXPORTS_A, &[&[ENTRY_A.as_slice(), &OTHER_A].concat()]).unwrap_err(),
        "target/k.wasm declares the kernel \"a\" twice, in \"one 1.0.0\" and in \"two 2.0.0\": rename one of the \
         functions"
    );
}

#[test]
fn an_export_that_no_spec_declares_is_refused() {
    for export in ["__kernelpack_forward_c", "__kernelpack_init_a", "__kernelpack_backward_a", "__kernelpack_"] {
        let exports = [EXPORTS_A, &[export]].concat();
        assert_eq!(
            read(&exports, &[&ENTRY_A]).unwrap_err(),
            format!(
                "target/k.wasm exports \"{export}\", which no kernel of its kernelpack.spec section declares: names \
                 that start with \"__kernelpack_\" are reserved for #[kernel]"
            )
        );
    }
}

#[test]
fn bytes_that_are_no_module_are_refused() {
    let error = raw::read(Path::new("target/k.wasm"), b"not wasm at all").unwrap_err().to_string();
    assert!(error.starts_with("target/k.wasm is not a WebAssembly module: "), "{error}");
}
