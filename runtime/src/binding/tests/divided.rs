use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use kernelpack_abi::{KernelSpec, Lifecycle, ResourceLimits};

use super::*;
use crate::{
    Tensor, Wasmtime,
    fixture::{MODULE, Observed, SPEC, SPIN, load, module},
};

/// A binding of a kernel with `init`, divided over two instances.
#[test]
fn after_a_panic_between_its_two_instances_a_binding_has_both_again() {
    let init = r#"(module (func (export "kernel_init") (param i32 i32) (result i32) (i32.const 0))"#;
    let text = MODULE.replacen("(module", init, 1).replacen("1 64)", "1 1024)", 1);
    let lifecycle = Lifecycle { init: true, cleanup: false };
    let limits = ResourceLimits { max_memory_pages: 1024, ..SPEC.limits };
    let spec = KernelSpec { lifecycle, limits, split: &[0], ..SPEC };
    let engine = Observed::new(Arc::new(Wasmtime::new().tick(Duration::from_micros(100)).start_engine().unwrap()));
    let loaded = load(Arc::new(engine.clone()), module(&spec, &text), 2).loaded;

    let elements = 1 << 20;
    let (x, mut y) =
        (Tensor::from_slice(&vec![0.5; elements], &[elements]).unwrap(), Tensor::<f32>::zeros(&[elements]).unwrap());
    let mut tensors = [TensorArg::input(x.view()), TensorArg::output(y.view_mut())];
    let budget = 2000;
    let mut binding = Binding::new(loaded.clone(), &SPEC.forward, &mut tensors, &[0; 4], budget).unwrap();
    assert_eq!((binding.threads(), loaded.bindings.occupancy().busy), (2, 2));
    let mut call = |mode: i32| binding.call(&SPEC.forward, &mut tensors, &mode.to_le_bytes());
    // A stopped call drops the instances. The next call makes new ones; the second entry initializes the second.
    assert!(matches!(call(SPIN), Err(Error::Kernel(_))));
    engine.panic_in(2);
    assert!(catch_unwind(AssertUnwindSafe(|| call(0))).is_err());
    assert_eq!(loaded.bindings.occupancy().busy, 0);

    call(3).unwrap();
    assert_eq!((binding.threads(), loaded.bindings.occupancy().busy), (2, 2));
    assert!(y.as_slice().iter().all(|y| *y == 3.5));
}
