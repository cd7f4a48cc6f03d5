//! Tests the rewriting of modules, and that the results can be stopped.

mod bulk;
mod generated;
mod golden;
#[cfg(unix)]
mod hostile;

use super::*;

/// Encodes a module that is given as text.
fn parse(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// Corrupts a valid module; the parser must read or reject the result.
#[test]
fn bytes_that_are_no_module_are_refused() {
    let wasm =
        parse("(module (memory 1) (func (loop (br 0)) (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))");
    assert!(make(b"").is_err() && make(b"\0asm").is_err());
    for index in 8..wasm.len() {
        _ = make(&wasm[..index]);
        for byte in [0, 1, 2, 3, 4, 5, 0x0b, 0x0c, 0x10, 0x40, 0x7f, 0x80, 0xfc, 0xff] {
            let mut changed = wasm.clone();
            changed[index] = byte;
            _ = make(&changed);
            _ = lower_bulk(&changed);
        }
    }
}

#[test]
fn modules_that_need_nothing_stay_as_they_are() {
    for text in [
        "(module (memory 1))",
        "(module (memory 1) (func (drop (i32.load (i32.const 0)))))",
        "(module (memory 1) (func unreachable))",
    ] {
        let wasm = parse(text);
        let Interruptible { wasm: made, touches, .. } = make(&wasm).unwrap();
        assert_eq!((&made, touches), (&wasm, 0), "{text}");
        assert_eq!(lower_bulk(&wasm).unwrap().wasm, wasm, "{text}");
    }
}

#[test]
fn where_epochs_interrupt_work_of_the_hosts_is_followed_by_a_call() {
    let wasm = parse(
        "(module (memory 1) (table $t 1 10 funcref) (elem $e func 0) (data $d \"a\") (func $f (param $n i32)
            (memory.init $d (i32.const 0) (i32.const 0) (local.get $n))
            (drop (memory.grow (local.get $n)))
            (drop (table.grow $t (ref.null func) (local.get $n)))
            (table.fill $t (i32.const 0) (ref.null func) (local.get $n))
            (table.copy $t $t (i32.const 0) (i32.const 0) (local.get $n))
            (table.init $t $e (i32.const 0) (i32.const 0) (local.get $n))
            (elem.drop $e) (data.drop $d)))",
    );
    let lowered = lower_bulk(&wasm).unwrap();
    wasmparser::Validator::new().validate_all(&lowered.wasm).unwrap();
    assert_eq!(lowered.touches, 6);
    let printed = wasmprinter::print_bytes(&lowered.wasm).unwrap();
    let lines: Vec<&str> = printed.lines().map(str::trim).collect();
    for work in ["memory.init", "memory.grow", "table.grow", "table.fill", "table.copy", "table.init"] {
        let at = lines.iter().position(|line| line.starts_with(work)).unwrap();
        assert_eq!(lines[at + 1], "call $kernelpack:check", "{work} in\n{printed}");
    }
    // Unlike a touch, the added function does not access memory.
    assert!(!printed.contains("load"), "{printed}");
}

#[test]
fn what_cannot_be_made_interruptible_is_refused() {
    for (text, reason) in [
        ("(module)", "it has no page of memory from the start"),
        ("(module (memory 0))", "it has no page of memory from the start"),
        (
            "(module (memory 1) (data \"a\") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))))",
            "it has the instruction MemoryInit",
        ),
        ("(module (memory 1) (func return_call 0))", "it has the instruction ReturnCall"),
        ("(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))", "it has the instruction I32AtomicLoad"),
        ("(module (import \"a\" \"b\" (func)) (memory 1))", "it has imports"),
        ("(module (memory 1) (func $f) (start $f))", "it has a start function"),
        ("(module (memory 1) (memory 1))", "it has several memories"),
        ("(module (memory i64 1))", "it has a memory of another kind"),
        ("(module (memory 1) (type (struct)))", "it has types of other things than functions"),
    ] {
        assert_eq!(make(&parse(text)).unwrap_err().to_string(), reason, "{text}");
    }
}

/// The largest functions that verification accepts, in shapes that are hard for analyses.
#[test]
fn large_functions_take_a_single_pass() {
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(20_000), close.repeat(20_000));
    let labels = "0 ".repeat(10_000);
    for body in [
        nested("loop ", "end "),
        nested("block ", "end "),
        nested("loop ", "br 0 end "),
        nested("i32.const 0 if ", "end "),
        format!("{} {}", "loop ".repeat(8000), "local.get 0 i32.load drop ".repeat(8000)) + &"end ".repeat(8000),
        format!("loop {} end", "local.get 0 i32.const 1 i32.add local.set 0 ".repeat(8000)),
        format!("loop {} end", "i32.const 0 local.tee 0 local.tee 1 drop ".repeat(8000)),
        "block ".repeat(5000) + "i32.const 0 br_table " + &labels + "0 " + &"end ".repeat(5000),
    ] {
        let wasm = parse(&format!("(module (memory 1) (func (param i32) (local i32) {body}))"));
        wasmparser::Validator::new().validate_all(&make(&wasm).unwrap().wasm).unwrap();
    }
}
