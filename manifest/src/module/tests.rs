use super::*;
use crate::samples::{
    FULL, FULL_ENTRY, PLAIN, PLAIN_ENTRY, PLAIN_WAT, WRITER, full_module, full_wat, module, plain_module, spec_of,
};
use crate::{MAX_FUNCTION_BYTES, MAX_FUNCTIONS};

fn fault(bytes: &[u8], spec: &KernelSpecBuf) -> ModuleFault {
    match check(bytes, spec) {
        Err(Rejected::Module { kernel, fault }) => {
            assert_eq!(kernel, spec.id);
            fault
        }
        other => panic!("{other:?}"),
    }
}

/// Returns the fault of the plain module after its text was changed.
fn fault_with(from: &str, to: &str) -> ModuleFault {
    let text = PLAIN_WAT.replace(from, to);
    assert_ne!(text, PLAIN_WAT, "{from}");
    fault(&module(&text, &[&PLAIN_ENTRY]), &spec_of(&PLAIN))
}

#[test]
fn good_modules_pass_with_their_facts() {
    let facts = check(&plain_module(), &spec_of(&PLAIN)).unwrap();
    let expected = ModuleFacts {
        heap_base: 131_072,
        message: 130_812,
        initial_pages: 2,
        max_pages: 16,
        table_elements: 0,
        writer: WRITER.to_owned(),
        code_bytes: 11,
        forward_batch: false,
        required_features: BTreeSet::new(),
    };
    assert_eq!(facts, expected);

    let text = full_wat().replacen("(memory", "(table 3 funcref) (table 5 funcref) (func (param v128)) (memory", 1);
    let facts = check(&module(&text, &[&FULL_ENTRY]), &spec_of(&FULL)).unwrap();
    assert_eq!(facts.table_elements, 8);
    assert_eq!(facts.required_features, BTreeSet::from(["reference-types", "simd"]));
    assert!(check(&full_module(), &spec_of(&FULL)).is_ok());
}

#[test]
fn a_batch_may_be_exported_and_has_its_type() {
    let with = |ty: &str| {
        let text = PLAIN_WAT.replacen("(memory", &format!("(func (export \"kernel_forward_batch\") {ty}) (memory"), 1);
        module(&text, &[&PLAIN_ENTRY])
    };
    let facts = check(&with("(param i32 i32) (result i64) i64.const 0"), &spec_of(&PLAIN)).unwrap();
    assert!(facts.forward_batch);
    for (ty, actual) in [
        ("(param i32 i32) (result i32) i32.const 0", "a function (i32, i32) -> (i32)"),
        ("(param i32) (result i64) i64.const 0", "a function (i32) -> (i64)"),
        ("(param i64 i32) (result i64) i64.const 0", "a function (i64, i32) -> (i64)"),
    ] {
        let expected = "a function (i32, i32) -> (i64)".to_owned();
        let (name, actual) = ("kernel_forward_batch".to_owned(), actual.to_owned());
        assert_eq!(fault(&with(ty), &spec_of(&PLAIN)), ModuleFault::WrongExport { name, expected, actual });
    }
}

#[test]
fn other_files_are_refused() {
    let spec = spec_of(&PLAIN);
    for bytes in [&b""[..], b"\0asm", PLAIN_WAT.as_bytes(), b"\0asm\x02\0\0\0"] {
        assert_eq!(fault(bytes, &spec), ModuleFault::NotWasm);
    }
    assert_eq!(fault(b"\0asm\x0d\0\x01\0", &spec), ModuleFault::Component);
    assert_eq!(fault(b"\0asm\x01\0\0\0", &spec), ModuleFault::NotAKernel);
}

#[test]
fn invalid_modules_are_refused() {
    for (from, to) in [
        ("(result i32) i32.const 0)", "(result i32) i64.const 0)"),
        ("(memory", "(func (param externref)) (memory"),
        ("(memory", "(tag) (memory"),
        ("(memory", "(func (result i32) (i32.atomic.load (i32.const 0))) (memory"),
        ("(memory", "(func (result i32) i32.const 0 return_call $info) (memory"),
    ] {
        assert!(matches!(fault_with(from, to), ModuleFault::Invalid { offset: 8.., .. }), "{to}");
    }
}

#[test]
fn cut_modules_are_refused_and_never_panic() {
    let (bytes, spec) = (full_module(), spec_of(&FULL));
    for len in 0..bytes.len() {
        assert!(check(&bytes[..len], &spec).is_err(), "{len}");
    }
}

#[test]
fn damage_never_panics() {
    let (bytes, spec) = (full_module(), spec_of(&FULL));
    for at in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, bytes[at] ^ 1, bytes[at] ^ 0x40] {
            let mut damaged = bytes.clone();
            damaged[at] = value;
            let _ = check(&damaged, &spec);
        }
    }
}

#[test]
fn a_module_is_closed() {
    let import = fault_with("(memory", r#"(import "env" "f" (func)) (import "env" "g" (func)) (memory"#);
    assert_eq!(import, ModuleFault::Import { module: "env".into(), name: "f".into() });
    assert_eq!(import.to_string(), r#"it imports "env" "f"; kernels import nothing"#);
    assert_eq!(fault_with("(memory", "(start 2) (func) (memory"), ModuleFault::Start);
}

#[test]
fn a_memory_keeps_to_its_limit() {
    let none = "(global (export \"memory\") i32 (i32.const 0))";
    let memory = "(memory (export \"memory\") 2 16)";
    assert_eq!(fault_with(memory, none), ModuleFault::MemoryCount { count: 0 });
    assert_eq!(fault_with(memory, &format!("{memory} (memory 1 1)")), ModuleFault::MemoryCount { count: 2 });
    assert_eq!(fault_with("2 16)", "i64 2 16)"), ModuleFault::MemoryKind { kind: "64-bit" });
    assert_eq!(fault_with("2 16)", "2 16 shared)"), ModuleFault::MemoryKind { kind: "shared" });
    assert_eq!(
        fault_with("2 16)", "131072 131072 (pagesize 1))"),
        ModuleFault::MemoryKind { kind: "made of custom pages" }
    );
    assert_eq!(fault_with("2 16)", "2)"), ModuleFault::MemoryUnbounded { limit: 16 });
    assert_eq!(fault_with("2 16)", "2 17)"), ModuleFault::MemoryTooLarge { maximum: 17, limit: 16 });
    assert_eq!(fault_with("2 16)", "3 2)"), ModuleFault::MemoryCrossed { initial: 3, maximum: 2 });
}

#[test]
fn tables_keep_to_their_limit() {
    let found = fault_with("(memory", "(table 4 funcref) (table 5 funcref) (memory");
    assert_eq!(found, ModuleFault::TableTooLarge { elements: 9, limit: 8 });
    let many = "(table 4294967295 funcref) ".repeat(3);
    let found = fault_with("(memory", &format!("{many} (memory"));
    assert_eq!(found, ModuleFault::TableTooLarge { elements: 3 * u64::from(u32::MAX), limit: 8 });
}

#[test]
fn every_export_must_be_there() {
    let full = spec_of(&FULL);
    let text = full_wat();
    let names = [
        "memory",
        "kernel_abi_version",
        "__heap_base",
        "kernel_message",
        "kernel_forward",
        "k_forward",
        "kernel_info",
        "kernel_init",
        "kernel_backward",
        "kernel_cleanup",
    ];
    for name in names {
        let without = text.replace(&format!("(export {name:?})"), "");
        assert_ne!(without, text);
        let found = fault(&module(&without, &[&FULL_ENTRY]), &full);
        assert!(matches!(&found, ModuleFault::MissingExport { name: missing, .. } if missing == name), "{found}");

        let renamed = text.replace(&format!("(export {name:?})"), &format!("(export {name:?}) (export \"extra\")"));
        let found = fault(&module(&renamed, &[&FULL_ENTRY]), &full);
        assert_eq!(found, ModuleFault::ExtraExport { name: "extra".into() });

        // The export exists, but is a table.
        let retyped = without.replacen("(memory", &format!("(table (export {name:?}) 0 funcref) (memory"), 1);
        let found = fault(&module(&retyped, &[&FULL_ENTRY]), &full);
        assert!(
            matches!(&found, ModuleFault::WrongExport { name: wrong, actual, .. } if wrong == name && actual == "a table"),
            "{found}"
        );
    }
}

#[test]
fn exports_that_are_not_declared_are_named() {
    for name in ["kernel_init", "kernel_backward", "kernel_cleanup"] {
        let found = fault_with("(func $info", &format!("(func $info (export {name:?})"));
        assert_eq!(found, ModuleFault::ExtraExport { name: name.into() });
    }
}

#[test]
fn every_export_has_its_type() {
    let wrong = |name: &str, expected: &str, actual: &str| ModuleFault::WrongExport {
        name: name.into(),
        expected: expected.into(),
        actual: actual.into(),
    };
    let pointer = "a function (i32) -> (i32)";
    assert_eq!(
        fault_with("$info (export \"kernel_info\") (param i32)", "$info (export \"kernel_info\") (param i32 f32)"),
        wrong("kernel_info", pointer, "a function (i32, f32) -> (i32)")
    );
    assert_eq!(
        fault_with("(param i32) (result i32) i32.const 0)\n  (func $info", "(param i64))\n  (func $info"),
        wrong("kernel_forward", pointer, "a function (i64) -> ()")
    );
    for name in ["kernel_abi_version", "__heap_base", "kernel_message"] {
        let export = format!("(global (export {name:?}) i32 (i32.const");
        assert_eq!(
            fault_with(&export, &export.replace(" i32 ", " (mut i32) ")),
            wrong(name, "an immutable i32 global", "a mutable i32 global")
        );
        assert_eq!(
            fault_with(&export, &export.replace(" i32 (i32", " i64 (i64")),
            wrong(name, "an immutable i32 global", "an immutable i64 global")
        );
    }
    let full = |from: &str, to: &str| {
        let text = full_wat().replace(from, to);
        assert_ne!(text, full_wat());
        fault(&module(&text, &[&FULL_ENTRY]), &spec_of(&FULL))
    };
    assert_eq!(
        full("\"kernel_init\") (param i32 i32)", "\"kernel_init\") (param i32)"),
        wrong("kernel_init", "a function (i32, i32) -> (i32)", pointer)
    );
    assert_eq!(
        full("\"kernel_cleanup\") (result i32)", "\"kernel_cleanup\") (param i32) (result i32)"),
        wrong("kernel_cleanup", "a function () -> (i32)", pointer)
    );
    assert_eq!(
        full("\"kernel_backward\") (param i32)", "\"kernel_backward\") (param i32 i32)"),
        wrong("kernel_backward", pointer, "a function (i32, i32) -> (i32)")
    );
}

#[test]
fn the_entry_point_is_an_alias() {
    let apart = "(param i32) (result i32) i32.const 0)
      (func (export \"p_forward\") (param i32) (result i32) i32.const 0)\n  (func $info";
    let text = PLAIN_WAT
        .replace(" (export \"p_forward\")", "")
        .replace("(param i32) (result i32) i32.const 0)\n  (func $info", apart);
    let found = fault(&module(&text, &[&PLAIN_ENTRY]), &spec_of(&PLAIN));
    assert_eq!(found, ModuleFault::NotAnAlias { name: "p_forward".into() });
}

#[test]
fn exported_numbers_are_constants_within_bounds() {
    let global = "(global (export \"__heap_base\") i32 (i32.const 131072))";
    let indirect = "(global $g i32 (i32.const 131072)) (global (export \"__heap_base\") i32 (global.get $g))";
    let found = fault_with(global, indirect);
    // A global that refers to an earlier one of the module needs a feature that kernels may not use.
    assert!(matches!(found, ModuleFault::Invalid { .. }), "{found}");

    assert_eq!(fault_with("i32.const 1)", "i32.const 2)"), ModuleFault::AbiVersion { found: 2 });
    let beyond = ModuleFault::HeapBase { heap_base: 131_073, memory: 131_072 };
    assert_eq!(fault_with("131072", "131073"), beyond);
    assert!(matches!(fault_with("131072", "-1"), ModuleFault::HeapBase { heap_base: u32::MAX, .. }));
    // The buffer of 4 + 256 bytes ends exactly at the heap base.
    let message = |message| ModuleFault::MessageBuffer { message, heap_base: 131_072 };
    assert_eq!(fault_with("130812", "130816"), message(130_816));
    assert_eq!(fault_with("130812", "130810"), message(130_810));
    assert_eq!(fault_with("130812", "-4"), message(u32::MAX - 3));
}

#[test]
fn a_kernel_module_has_one_section_with_one_entry() {
    let spec = spec_of(&PLAIN);
    let of = |sections: &[&[u8]]| fault(&module(PLAIN_WAT, sections), &spec);
    assert_eq!(of(&[]), ModuleFault::Stripped);
    assert_eq!(of(&[&PLAIN_ENTRY, &PLAIN_ENTRY]), ModuleFault::ManySections { count: 2 });
    assert_eq!(of(&[&[]]), ModuleFault::ManyEntries { count: 0 });
    let two = [&PLAIN_ENTRY[..], &FULL_ENTRY].concat();
    assert_eq!(of(&[&two]), ModuleFault::ManyEntries { count: 2 });
    assert!(matches!(of(&[&PLAIN_ENTRY[1..]]), ModuleFault::BadSection(section::SectionError::Malformed { .. })));
    let mut newer = PLAIN_ENTRY;
    newer[8] = 9;
    assert!(matches!(of(&[&newer]), ModuleFault::BadSection(section::SectionError::UnknownSchema { found: 9, .. })));
}

#[test]
fn the_module_agrees_with_the_manifest() {
    let mut spec = spec_of(&PLAIN);
    spec.limits.max_epoch_ticks += 1;
    let found = fault(&plain_module(), &spec);
    assert_eq!(
        found.to_string(),
        "it disagrees with its manifest entry (the module's value comes first): max_epoch_ticks is 1000 and 1001; pack again"
    );
    let mut spec = spec_of(&PLAIN);
    spec.forward.tensors[1].name = "z".into();
    assert_eq!(
        fault(&plain_module(), &spec),
        ModuleFault::Disagrees { difference: "tensors is [x, y] and [x, z]".into() }
    );
}

/// Returns the plain module with a function whose body repeats one part.
fn with_function(locals: usize, part: &str, times: usize) -> Vec<u8> {
    let function = format!("(func {} {})\n(memory", "(local i32)".repeat(locals), part.repeat(times));
    module(&PLAIN_WAT.replacen("(memory", &function, 1), &[&PLAIN_ENTRY])
}

/// Returns the plain module with this text in it.
fn with_text(text: &str) -> Vec<u8> {
    module(&PLAIN_WAT.replacen("(memory", &format!("{text}\n(memory"), 1), &[&PLAIN_ENTRY])
}

/// Each of these modules is small, but would cost a compiler seconds or gigabytes.
#[test]
fn what_a_compiler_pays_for_besides_bytes_is_bounded() {
    let params = "i32 ".repeat(50);
    let constants = "(i32.const 0) ".repeat(50);
    let loops = |times: usize| {
        let body = "loop (type $many) end ".repeat(times);
        let drops = "drop ".repeat(50);
        with_text(&format!("(type $many (func (param {params}) (result {params}))) (func {constants} {body} {drops})"))
    };
    let calls = |times: usize| {
        let call = format!("{constants} (call $takes) ").repeat(times);
        with_text(&format!("(func $takes (param {params})) (func {call})"))
    };
    let calls_of_many = |times: usize| {
        let functions = format!("(func {})", format!("{constants} (call $takes) ").repeat(200)).repeat(times);
        with_text(&format!("(func $takes (param {params})) {functions}"))
    };
    let indirect = |times: usize| {
        let call = "(call_indirect (i32.const 0)) ".repeat(times);
        with_text(&format!("(table 1 1 funcref) (func {call}) (func {call})"))
    };
    let types = |times: usize| {
        let types: String = (0..times).map(|i| format!("(type (func (param {})))", "i64 ".repeat(i % 40))).collect();
        with_text(&types)
    };
    let large_types = |times: usize| with_text(&format!("(type (func (param {})))", "i64 ".repeat(900)).repeat(times));
    let functions = |times: usize| {
        let many = format!("(type $many (func (param {})))", "i64 ".repeat(900));
        with_text(&format!("{many} {}", "(func (type $many))".repeat(times)))
    };
    let globals = |times: usize| with_text(&"(global i32 (i32.const 0))".repeat(times));
    let nested = |times: usize| {
        let body = format!("{} {}", "(loop ".repeat(times), ")".repeat(times));
        with_text(&format!("(func (local {}) {body})", "i32 ".repeat(100)))
    };
    let targets = |times: usize| {
        let table = format!("(block (br_table {} (i32.const 0))) ", "0 ".repeat(1001));
        with_text(&format!("(func {})", table.repeat(times)))
    };
    let segments = |times: usize| with_text(&r#"(data (i32.const 0) "x") "#.repeat(times));
    let elements =
        |times: usize| with_text(&format!("(table 1 1 funcref) (func $entry) (elem func {})", "$entry ".repeat(times)));
    let spec = spec_of(&PLAIN);
    for (what, good, bad) in [
        ("values live at branches", nested(2500), nested(2700)),
        ("parameters and results of blocks", loops(160), loops(170)),
        ("parameters and results of calls", calls(200), calls_of_many(14)),
        ("parameters and results of calls", indirect(3800), indirect(3900)),
        ("parameters and results of types", large_types(18), large_types(19)),
        ("parameters and results of functions", functions(72), functions(73)),
        ("globals and exports", globals(4000), globals(4096)),
        ("types", types(400), types(520)),
        ("targets of br_table", targets(15), targets(17)),
        ("segments", segments(1000), segments(4097)),
        ("elements in segments", elements(60_000), elements(65_537)),
    ] {
        check(&good, &spec).unwrap_or_else(|error| panic!("{what}: {error}"));
        let refused = fault(&bad, &spec);
        assert!(matches!(refused, ModuleFault::TooMuchCode { what: found, .. } if found == what), "{what}: {refused}");
    }
}

#[test]
fn code_that_would_take_long_to_compile_is_refused() {
    let spec = spec_of(&PLAIN);
    let too_much = |bytes: &[u8]| match fault(bytes, &spec) {
        ModuleFault::TooMuchCode { what, .. } => what,
        other => panic!("{other}"),
    };
    // Checks the largest function, and one that is longer by one instruction; each instruction is a `nop` of one byte.
    assert!(check(&with_function(0, "nop ", MAX_FUNCTION_BYTES - 2), &spec).is_ok());
    let size = MAX_FUNCTION_BYTES + 1;
    assert_eq!(
        fault(&with_function(0, "nop ", size - 2), &spec),
        ModuleFault::FunctionTooLarge { index: 0, size, limit: MAX_FUNCTION_BYTES }
    );
    let many = |times: usize| {
        module(&PLAIN_WAT.replacen("(memory", &format!("{} (memory", "(func)".repeat(times)), 1), &[&PLAIN_ENTRY])
    };
    assert!(check(&many(MAX_FUNCTIONS as usize - 2), &spec).is_ok());
    assert_eq!(too_much(&many(MAX_FUNCTIONS as usize - 1)), "functions");
    let large = format!("(func {})", "nop ".repeat(60_000)).repeat(9);
    assert_eq!(
        too_much(&module(&PLAIN_WAT.replacen("(memory", &format!("{large} (memory"), 1), &[&PLAIN_ENTRY])),
        "bytes of code"
    );
    // The function's body counts as a block, and the module's other functions have a few live values.
    for part in ["(block) ", "(loop) ", "(br_if 0 (i32.const 0)) "] {
        assert!(check(&with_function(256, part, 1022), &spec).is_ok(), "{part}");
        assert_eq!(too_much(&with_function(256, part, 1023)), "values live at branches", "{part}");
    }
    // Declaring more locals than any function may have neither evades the limit nor overflows the count.
    let absurd = with_function(1, "(block) ", 1);
    let at = absurd.windows(4).position(|bytes| bytes == [1, 1, 0x7f, 0x02]).unwrap();
    // The longer number adds four bytes to the sizes of the function and of the section.
    let mut absurd = [&absurd[..=at], &[0xff, 0xff, 0xff, 0xff, 0x0f], &absurd[at + 2..]].concat();
    absurd[at - 1] += 4;
    let section = absurd[..at].iter().rposition(|&byte| byte == 10).unwrap();
    absurd[section + 1] += 4;
    let refused = fault(&absurd, &spec);
    assert!(matches!(refused, ModuleFault::TooMuchCode { .. } | ModuleFault::Invalid { .. }), "{refused}");
}
