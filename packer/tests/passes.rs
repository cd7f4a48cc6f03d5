//! Tests each pass: `passes/<pass>/<case>.before.wat` becomes `<case>.after.wat`, or is rejected with the text of
//! `<case>.error.txt`. `BLESS=1` writes the results; read them before you commit them.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use kernelpack_abi::{KernelSpec, KernelSpecBuf, Lifecycle, ResourceLimits, Signature, section};
use kernelpack_packer::passes::{self, PassError};
use walrus::Module;

/// The kernel in every case.
const SPEC: KernelSpec<'static> = KernelSpec {
    id: "k_f32",
    name: "K",
    description: "",
    category: "c",
    family: "k",
    entry_point: "k_forward",
    fallback: "",
    limits: ResourceLimits {
        max_memory_pages: 32,
        max_epoch_ticks: 2,
        max_table_elements: 8,
        ..ResourceLimits::DEFAULT
    },
    lifecycle: Lifecycle { init: true, cleanup: false },
    forward: Signature { symbols: &[], tensors: &[], params: &[] },
    backward: None,
    split: &[],
};

fn spec() -> KernelSpecBuf {
    KernelSpecBuf::from(&SPEC)
}

#[test]
fn refuse_imports() {
    check("refuse_imports", passes::refuse_imports::run);
}

#[test]
fn refuse_start() {
    check("refuse_start", passes::refuse_start::run);
}

#[test]
fn select_kernel() {
    check("select_kernel", |module| passes::select_kernel::run(module, &spec()));
}

#[test]
fn collect() {
    check("collect", passes::collect::run);
}

#[test]
fn limit_memory() {
    check("limit_memory", |module| passes::limit_memory::run(module, &SPEC.limits));
}

#[test]
fn limit_tables() {
    check("limit_tables", |module| passes::limit_tables::run(module, &SPEC.limits));
}

#[test]
fn abi_version() {
    check("abi_version", passes::abi_version::run);
}

#[test]
fn strip() {
    check("strip", passes::strip::run);
}

#[test]
fn spec_section() {
    check("spec_section", |module| passes::spec_section::run(module, b"only this kernel"));
}

#[test]
fn transform_runs_them_all() {
    const BYTES: [u8; section::encoded_len(&SPEC, "crate 1.2.3")] = section::encode(&SPEC, "crate 1.2.3");
    let entries = section::decode(&BYTES).unwrap();
    check_bytes("transform", |wasm| {
        let packed = passes::transform(wasm, &entries[0])?;
        assert_eq!(packed, passes::transform(wasm, &entries[0])?, "the same module twice gives other bytes");
        Ok(packed)
    });
}

#[test]
fn a_limit_above_what_addresses_reach_is_refused() {
    let mut module = passes::parse(&wat::parse_str("(module (memory 1))").unwrap()).unwrap();
    let limits = ResourceLimits { max_memory_pages: 65_537, ..SPEC.limits };
    assert_eq!(
        passes::limit_memory::run(&mut module, &limits).unwrap_err().to_string(),
        "its max_memory_pages is 65537, but a memory has at most 65536 pages: lower it"
    );
}

#[test]
fn an_entry_point_called_like_an_export_is_refused() {
    let before = fs::read_to_string(cases("select_kernel").join("plain.before.wat")).unwrap();
    for (entry_point, accepted) in [
        ("kernel_forward", false),
        ("anything_else", true),
        ("kernel_init", false),
        ("kernel_forward_batch", false),
        ("memory", false),
        ("kernel_abi_version", false),
    ] {
        let mut module = passes::parse(&wat::parse_str(&before).unwrap()).unwrap();
        let spec = KernelSpecBuf { entry_point: entry_point.into(), ..spec() };
        let result = passes::select_kernel::run(&mut module, &spec);
        let refused = Err(PassError::EntryPoint { entry_point: entry_point.into() });
        assert_eq!(result, if accepted { Ok(()) } else { refused }, "{entry_point}");
    }
}

#[test]
fn bytes_that_are_no_module_are_refused() {
    let valid = wat::parse_str(fs::read_to_string(cases("transform").join("two_kernels.before.wat")).unwrap()).unwrap();
    for len in 0..valid.len() {
        // A cut at the end of a section may leave a valid module; no cut may panic.
        let _ = passes::parse(&valid[..len]);
    }
    assert!(matches!(passes::parse(b"\0asm"), Err(PassError::Invalid { .. })));
}

#[test]
fn every_pass_has_a_case() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/passes");
    let passes: BTreeSet<_> =
        names(&source).into_iter().filter_map(|name| Some(name.strip_suffix(".rs")?.into())).collect();
    let cased: BTreeSet<String> = names(&cases("")).into_iter().collect();
    let missing: Vec<_> = passes.difference(&cased).filter(|name| !["mod", "error"].contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

fn cases(pass: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/passes").join(pass)
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Checks the cases of a pass that works on a parsed module.
fn check(pass: &str, run: impl Fn(&mut Module) -> Result<(), PassError>) {
    check_bytes(pass, |wasm| {
        let mut module = passes::parse(wasm)?;
        // The parser adds itself to the producers, so they are only compared if a case has some.
        if !wasm.windows(9).any(|bytes| bytes == b"producers") {
            module.producers.clear();
        }
        run(&mut module)?;
        Ok(module.emit_wasm())
    });
}

fn check_bytes(pass: &str, run: impl Fn(&[u8]) -> Result<Vec<u8>, PassError>) {
    let folder = cases(pass);
    let bless = env::var_os("BLESS").is_some();
    let mut count = 0;
    for name in names(&folder) {
        let Some(case) = name.strip_suffix(".before.wat") else { continue };
        count += 1;
        let before = wat::parse_file(folder.join(&name)).unwrap_or_else(|error| panic!("{pass}/{name}: {error}"));
        let (result, extension, other) = match run(&before) {
            Ok(wasm) => {
                wasmparser::validate(&wasm).unwrap_or_else(|error| panic!("{pass}/{case} became invalid: {error}"));
                (wasmprinter::print_bytes(&wasm).unwrap(), "after.wat", "error.txt")
            }
            Err(error) => (format!("{error}\n"), "error.txt", "after.wat"),
        };
        let expected = folder.join(format!("{case}.{extension}"));
        if bless {
            fs::write(&expected, &result).unwrap();
            let _ = fs::remove_file(folder.join(format!("{case}.{other}")));
        }
        assert!(
            !folder.join(format!("{case}.{other}")).exists(),
            "{pass}/{case} has a .{other}, the result is:\n{result}"
        );
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(result, expected, "{pass}/{case} changed; BLESS=1 writes it down");
    }
    assert!(count > 0, "no case in {}", folder.display());
}
