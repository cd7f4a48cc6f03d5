//! The modules of `tests/fixtures/hostile` as kernels.

use std::fs;

use kernelpack_abi::{KernelSpec, ResourceLimits};
use kernelpack_tests::pack::workspace;

use crate::wat_kernel::{Parts, SPEC};

/// Returns all fixtures with their names; in `mode` 1 they never end.
pub(crate) fn all() -> Vec<(String, Parts)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(workspace().join("tests/fixtures/hostile")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        all.push((path.file_stem().unwrap().to_str().unwrap().to_owned(), adapt(&text)));
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

/// Adapts a fixture to a kernel: it keeps its memory and gets a kernel's exports.
fn adapt(text: &str) -> Parts {
    const MEMORY: &str = r#"(memory (export "memory") "#;
    const RUN: &str = r#"(func (export "run")"#;
    let (_, module) = text.split_once("(module").unwrap();
    let (before, after) = module.trim_end().strip_suffix(')').unwrap().split_once(MEMORY).unwrap();
    let (sizes, after) = after.split_once(')').unwrap();
    let pages = sizes.split(' ').next().unwrap().parse().unwrap();
    assert!(after.contains(RUN));
    parts(pages, format!("{before}{after}").replace(RUN, "(func $run"))
}

/// Makes a module with this many pages of memory, a few more for calls, and a function `$run`.
pub(crate) fn parts(pages: u32, rest: String) -> Parts {
    // The largest stack: one fixture recurses 2000 deep, and WAMR's interpreter keeps a function's constants in each of
    // its frames.
    let limits = ResourceLimits {
        max_memory_pages: pages + 64,
        max_epoch_ticks: 1,
        max_table_elements: 20_000,
        max_stack_bytes: 16 << 20,
        ..SPEC.limits
    };
    let memory = format!(r#"(memory (export "memory") {pages} {})"#, pages + 64);
    Parts {
        memory: memory.leak(),
        rest: rest.leak(),
        forward: "(if (local.get $mode) (then (call $run))) (i32.const 0)",
        spec: KernelSpec { limits, ..SPEC },
        ..Parts::default()
    }
}
