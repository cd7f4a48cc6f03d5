//! `kernel_forward_batch`, called from inside: the module's `kernel_forward` is replaced by a function that makes an
//! array of descriptors from the host's and passes it to the batch.

use kernelpack_abi::{KernelDescriptor, TensorBuf, TensorView, exports};
use kernelpack_host::Error;
use kernelpack_kernels::rmsnorm_f32::{Inputs, Kernel};
use kernelpack_tests::{apply, engine::Engine, on_both_engines, pack};
use walrus::{
    ExportItem, FunctionBuilder, Module, ValType,
    ir::{BinaryOp, UnaryOp},
};

const SIZE: i32 = KernelDescriptor::SIZE as i32;

/// The array that the function makes from two copies of its descriptor, and how it passes the array to the batch.
struct Batch {
    /// The array's offset in bytes from the start of a page.
    at: i32,
    /// The number of descriptors passed to the batch.
    count: i32,
    /// The index of the descriptor whose params block is too short.
    broken: Option<i32>,
    /// The number of bits by which the result is shifted right before its low half is returned.
    shift: i64,
}

fn run(engine: Engine, batch: Batch) -> Result<TensorBuf<f32>, Error> {
    let copy = pack::Copy::of(pack::core());
    copy.keep(&["rmsnorm_f32"]);
    let path = copy.manifest().kernels[0].module_for(engine.name()).path.to_owned();
    let mut module = Module::from_buffer(&copy.read(&path)).unwrap();
    let Batch { at, count, broken, shift } = batch;
    let find = |name: &str| module.exports.iter().find(|export| export.name == name).unwrap();
    let ExportItem::Function(callee) = find(exports::FORWARD_BATCH).item else { panic!("a function") };
    let replaced = [find(exports::FORWARD).id(), find("rmsnorm_forward").id()];
    let memory = module.memories.iter().next().unwrap().id();
    let (descriptor, array) = (module.locals.add(ValType::I32), module.locals.add(ValType::I32));

    let mut forward = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[ValType::I32]);
    let mut body = forward.func_body();
    body.i32_const(1).memory_grow(memory).i32_const(16).binop(BinaryOp::I32Shl);
    body.i32_const(at).binop(BinaryOp::I32Add).local_set(array);
    for index in 0..2 {
        body.local_get(array).i32_const(index * SIZE).binop(BinaryOp::I32Add);
        body.local_get(descriptor).i32_const(SIZE).memory_copy(memory, memory);
    }
    if let Some(index) = broken {
        let params_size = walrus::ir::MemArg { align: 4, offset: 36 };
        body.local_get(array).i32_const(index * SIZE).binop(BinaryOp::I32Add);
        body.i32_const(15).store(memory, walrus::ir::StoreKind::I32 { atomic: false }, params_size);
    }
    body.local_get(array).i32_const(count).call(callee);
    body.i64_const(shift).binop(BinaryOp::I64ShrU).unop(UnaryOp::I32WrapI64);
    let forward = forward.finish(vec![descriptor], &mut module.funcs);
    for export in replaced {
        module.exports.get_mut(export).item = forward.into();
    }
    copy.replace_module_for(engine, "rmsnorm_f32", &module.emit_wasm());

    let (x, weight) = ([3.0, -3.0], [2.0, 4.0]);
    let inputs = Inputs::new(TensorView::new(&x, &[1, 2]).unwrap(), TensorView::new(&weight, &[2]).unwrap());
    Ok(copy.open(engine)?.kernel::<Kernel>()?.run(Inputs { eps: 0.0, ..inputs })?.y)
}

#[track_caller]
fn refused(engine: Engine, batch: Batch, words: [&str; 2]) {
    let said = run(engine, batch).unwrap_err().to_string();
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

#[apply(on_both_engines)]
fn every_call_of_a_batch_is_made(engine: Engine) {
    for (count, shift) in [(1, 0), (2, 0), (2, 32)] {
        let y = run(engine, Batch { at: 0, count, broken: None, shift }).unwrap();
        assert_eq!(y.data(), [2.0, -4.0], "{count} calls, result shifted by {shift}");
    }
    // Descriptors after the last one are not read.
    assert_eq!(run(engine, Batch { at: 0, count: 1, broken: Some(1), shift: 0 }).unwrap().data(), [2.0, -4.0]);
}

#[apply(on_both_engines)]
fn a_batch_stops_at_the_first_call_that_fails_and_says_which(engine: Engine) {
    let truncated = "the params block is truncated";
    refused(engine, Batch { at: 0, count: 2, broken: Some(1), shift: 0 }, ["INVALID_PARAMS", truncated]);
    refused(engine, Batch { at: 0, count: 2, broken: Some(0), shift: 0 }, ["INVALID_PARAMS", truncated]);
    // The upper half of the result is the index of the failed call, and is taken for a status here.
    refused(engine, Batch { at: 0, count: 2, broken: Some(1), shift: 32 }, ["INVALID_INPUT", truncated]);
    assert!(run(engine, Batch { at: 0, count: 2, broken: Some(0), shift: 32 }).is_ok(), "the index is 0");
}

#[apply(on_both_engines)]
fn an_array_that_is_misplaced_is_refused(engine: Engine) {
    let outside = "outside the usable memory or are misaligned";
    refused(engine, Batch { at: 8, count: 1, broken: None, shift: 0 }, ["the 1 descriptors at", outside]);
    refused(engine, Batch { at: 65_536 - 80, count: 3, broken: None, shift: 0 }, ["the 3 descriptors at", outside]);
    refused(engine, Batch { at: 0, count: -1, broken: None, shift: 0 }, ["the 4294967295 descriptors at", outside]);
    assert!(run(engine, Batch { at: 65_536 - 80, count: 2, broken: None, shift: 0 }).is_ok(), "up to the last byte");
}

/// A function whose address is taken would be in the table of the crate's module, and so in every kernel's module.
#[test]
fn modules_have_no_kernel_but_their_own() {
    for kernel in pack::runtime().open(pack::core()).unwrap().manifest().kernels.iter() {
        let module = Module::from_file(pack::core().join(&kernel.path)).unwrap();
        let names = module.funcs.iter().filter_map(|function| function.name.as_deref());
        let passes: Vec<_> = names.filter(|name| name.starts_with("__kernelpack_forward_")).collect();
        assert_eq!(passes, [format!("__kernelpack_forward_{}", kernel.id)]);
    }
}
