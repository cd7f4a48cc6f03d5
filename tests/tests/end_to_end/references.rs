//! Tests which functions may replace a kernel: only those that give what the pack's health vectors expect.

use std::cell::Cell;

use kernelpack_abi::{Result, TensorArg, TensorData, TensorView, TensorViewMut, native::NativeKernel};
use kernelpack_fixture_with_std::falls;
use kernelpack_host::{Error, RuntimeBuilder, TypedKernel, error::KernelError, policy::Placement};
use kernelpack_tests::{
    apply,
    engine::Engine,
    on_each_engine,
    pack::{self, Copy},
};

use crate::recovery::capture::Capture;

/// A pass as a function that takes the arguments of a call.
type Function = fn(&mut [TensorArg<'_>], &[u8]) -> Result<()>;

fn native() -> NativeKernel {
    *NativeKernel::all().find(|kernel| kernel.spec.id == "falls").unwrap()
}

/// Returns the function of another crate with the same id, reference name and signatures.
fn other(forward: Function) -> NativeKernel {
    NativeKernel { forward, package: "other", ..native() }
}

/// Computes y a quarter larger than the real function, as a build with other features, other sources or a
/// `cfg(target_family)` may.
fn larger(tensors: &mut [TensorArg<'_>], scalars: &[u8]) -> Result<()> {
    (native().forward)(tensors, scalars)?;
    for tensor in tensors {
        let TensorData::Out(bytes) = &mut tensor.data else { continue };
        for y in bytes.chunks_exact_mut(4) {
            y.copy_from_slice(&(1.25 * f32::from_le_bytes([y[0], y[1], y[2], y[3]])).to_le_bytes());
        }
    }
    Ok(())
}

/// Computes y like the real function except for its last bits, as the mathematics of std may.
fn nearly(tensors: &mut [TensorArg<'_>], scalars: &[u8]) -> Result<()> {
    (native().forward)(tensors, scalars)?;
    for tensor in tensors {
        let TensorData::Out(bytes) = &mut tensor.data else { continue };
        bytes.chunks_exact_mut(4).for_each(|y| y[0] ^= 3);
    }
    Ok(())
}

/// Computes what the real function does, but only in every other call of a thread. The kernel has one vector, so the
/// first check passes.
fn tires(tensors: &mut [TensorArg<'_>], scalars: &[u8]) -> Result<()> {
    thread_local! { static CALLS: Cell<u32> = const { Cell::new(0) } }
    let calls = CALLS.replace(CALLS.get() + 1);
    if calls.is_multiple_of(2) { (native().forward)(tensors, scalars) } else { larger(tensors, scalars) }
}

fn panics(_: &mut [TensorArg<'_>], _: &[u8]) -> Result<()> {
    panic!("natively")
}

/// Returns the pack with this kernel alone.
fn falls_pack(engine: Engine) -> Copy {
    let copy = Copy::of(pack::fixture("with-std"));
    copy.keep(&["falls"]);
    assert_eq!(copy.manifest().kernels[0].health.len(), 1);
    engine.ready(copy)
}

fn open(builder: RuntimeBuilder, copy: &Copy) -> std::result::Result<TypedKernel<falls::Kernel>, Error> {
    builder.build()?.open(copy.path())?.kernel()
}

/// Returns y when the sandbox panics; the reference gives 2 · (1 + 10) and 2 · (2 + 20).
fn call(kernel: &TypedKernel<falls::Kernel>) -> std::result::Result<[f32; 2], Error> {
    let (mut sum, mut y) = ([10.0, 20.0], [-1.0; 2]);
    kernel.call(falls::Args {
        x: TensorView::new(&[1.0, 2.0], &[2]).unwrap(),
        sum: TensorViewMut::new(&mut sum, &[2]).unwrap(),
        y: TensorViewMut::new(&mut y, &[2]).unwrap(),
        fault: 1,
    })?;
    Ok(y)
}

#[apply(on_each_engine)]
fn a_function_that_gives_something_else_never_stands_in_for_a_kernel(engine: Engine) {
    let copy = falls_pack(engine);
    // The pack's own crate is linked, but the given reference takes precedence.
    assert_eq!(call(&open(engine.builder(), &copy).unwrap()).unwrap(), [22.0, 44.0]);
    assert_eq!(call(&open(engine.builder().reference(other(larger)), &copy).unwrap()).unwrap(), [22.0, 44.0]);
    let near = call(&open(engine.builder().reference(other(nearly)), &copy).unwrap()).unwrap();
    assert!(near != [22.0, 44.0] && (near[0] - 22.0).abs() < 1e-4, "{near:?}");

    // For a pack of a crate that is not linked, only the given reference counts.
    let foreign = foreign(engine, &copy);
    let functions: [(Function, &str); 3] = [
        (
            larger,
            "does not return what the pack's health vector \"health/falls.safetensors\" expects: element 0 of \"y\"",
        ),
        (tires, "keeps state between calls: when called again, it does not return what"),
        (
            panics,
            "fails the pack's health vector \"health/falls.safetensors\": it failed with INTERNAL_ERROR (6): panicked",
        ),
    ];
    for (function, reason) in functions {
        let capture = Capture::default();
        let kernel = capture.during(|| open(engine.builder().reference(other(function)), &foreign)).unwrap();
        assert_eq!(kernel.reference_name(), None);
        let said = capture.take();
        let warning = said.iter().find(|event| event.contains("not known to compute the same")).unwrap();
        assert!(warning.starts_with("WARN ") && warning.contains(reason), "{warning}");
        match call(&kernel) {
            Err(Error::Kernel(trapped)) => assert!(matches!(trapped.error, KernelError::Returned { code: 6, .. })),
            other => panic!("{other:?}"),
        }
        let builder = engine.builder().reference(other(function)).placement("falls", Placement::Native);
        let refused = open(builder, &foreign).unwrap_err().to_string();
        assert!(refused.starts_with("kernel \"falls\" cannot be placed natively: reference \"falls_reference\" of"));
        assert!(refused.contains(reason), "{refused}");
    }
}

/// Changes the pack as if a crate that is not linked had made its modules.
fn foreign(engine: Engine, copy: &Copy) -> Copy {
    let copy = Copy::of(copy.path());
    let path = copy.manifest().kernels[0].module_for(engine.name()).path.to_owned();
    let mut wasm = copy.read(&path);
    let name = b"kernelpack-fixture-with-std 0";
    let places: Vec<usize> = (0..wasm.len()).filter(|&at| wasm[at..].starts_with(name)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| wasm[at + name.len() - 3] = b'u');
    copy.replace_module_for(engine, "falls", &wasm);
    engine.ready(copy)
}

#[apply(on_each_engine)]
fn without_a_health_vector_only_a_function_that_was_given_stands_in(engine: Engine) {
    let copy = falls_pack(engine);
    let mut manifest = copy.manifest();
    let entries = std::mem::take(&mut manifest.kernels[0].health);
    entries.iter().for_each(|entry| std::fs::remove_file(copy.path().join(&entry.path)).unwrap());
    std::fs::remove_dir(copy.path().join("health")).unwrap();
    copy.sign(&manifest.to_json());

    assert!(matches!(call(&open(engine.builder(), &copy).unwrap()), Err(Error::Kernel(_))));
    let refused = open(engine.builder().placement("falls", Placement::Native), &copy).unwrap_err().to_string();
    assert!(
        refused.contains("which has no health vector for the kernel: add one, or give the function to"),
        "{refused}"
    );
    assert_eq!(call(&open(engine.builder().reference(native()), &copy).unwrap()).unwrap(), [22.0, 44.0]);
    let placed = engine.builder().reference(native()).placement("falls", Placement::Native);
    assert_eq!(call(&open(placed, &copy).unwrap()).unwrap(), [22.0, 44.0]);
}
