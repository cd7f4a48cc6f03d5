//! `golden/<case>.before.wat` becomes `<case>.after.wat`. `BLESS=1` writes the results; read them before you commit
//! them.

use std::{env, fs, path::PathBuf};

use super::{Helper, lower_bulk, make, parse};

fn golden() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "src/tests/golden"].iter().collect()
}

fn check(path: &PathBuf, actual: &str) {
    if env::var_os("BLESS").is_some() {
        fs::write(path, actual).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(actual, expected, "{} differs: BLESS=1 writes it", path.display());
}

#[test]
fn every_case() {
    let mut cases = 0;
    for entry in fs::read_dir(golden()).unwrap() {
        let path = entry.unwrap().path();
        let Some(case) = path.to_str().unwrap().strip_suffix(".before.wat").map(PathBuf::from) else { continue };
        let wasm = parse(&fs::read_to_string(&path).unwrap());
        let made = make(&wasm).unwrap();
        wasmparser::Validator::new().validate_all(&made.wasm).unwrap();
        let text = wasmprinter::print_bytes(&made.wasm).unwrap();
        assert_eq!(text.matches("call $kernelpack:touch").count(), made.touches, "{}", path.display());
        // The helpers' code is in a separate file.
        let helpers = text.find("  (func $kernelpack:").unwrap_or(text.len());
        check(&case.with_extension("after.wat"), &text[..helpers]);
        cases += 1;
    }
    assert!(cases > 10, "{cases}");
}

#[test]
fn the_helpers() {
    let wasm = parse(
        "(module $m (memory 1) (func $f
            (loop
                (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))
                (memory.copy (i32.const 0) (i32.const 0) (i32.const 0)))))",
    );
    let text = wasmprinter::print_bytes(make(&wasm).unwrap().wasm).unwrap();
    let start = text.find("  (func $kernelpack:touch").unwrap();
    check(&golden().join("helpers.wat"), &text[start..]);
}

/// The helpers' own loops access memory, so the analysis must not add touches to them.
#[test]
fn the_helpers_need_no_touches() {
    for helper in [Helper::Touch, Helper::Fill, Helper::Copy] {
        let types = vec!["i32"; helper.params().len()].join(" ");
        let mut wasm = parse(&format!("(module (memory 1) (func (param {types})))"));
        // The body of the only function, after the code section's id, size and count.
        let code = wasm.windows(4).rposition(|bytes| bytes == [10, 4, 1, 2]).unwrap();
        wasm.truncate(code);
        let mut module = wasm_encoder::CodeSection::new();
        module.raw(&helper.body());
        wasm_encoder::Section::append_to(&module, &mut wasm);
        wasmparser::Validator::new().validate_all(&wasm).unwrap();
        assert_eq!(make(&wasm).unwrap().touches, 0, "{helper:?}");
    }
}

#[test]
fn names_and_sections_stay() {
    let wasm = parse(
        "(module $m (@custom \"mine\" \"content\") (type (func (param f32))) (memory 1) (global $g i32 (i32.const 7))
            (func $f (export \"f\") (param $p f32) (loop $l (br $l))))",
    );
    let made = wasmprinter::print_bytes(make(&wasm).unwrap().wasm).unwrap();
    for kept in ["$m", "mine", "content", "$g", "$f", "$p", "$l", "(export \"f\" (func $f))", "$kernelpack:touch"] {
        assert!(made.contains(kept), "{kept} is not in\n{made}");
    }
    // Lowering bulk instructions changes nothing else.
    assert_eq!(lower_bulk(&wasm).unwrap().wasm, wasm);
}

#[test]
fn names_that_cannot_be_read_do_no_harm() {
    let mut wasm = parse("(module (memory 1) (func (loop (br 0))))");
    for content in [&[1u8, 200][..], &[1, 2, 0xff, 0xff], &[9, 1, 1], &[1, 1, 0], &[]] {
        let section = wasm_encoder::CustomSection { name: "name".into(), data: content.into() };
        wasm_encoder::Section::append_to(&section, &mut wasm);
        wasmparser::Validator::new().validate_all(&make(&wasm).unwrap().wasm).unwrap();
    }
}
