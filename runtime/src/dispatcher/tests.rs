use kernelpack_abi::{TensorView, TensorViewMut};

use super::*;
use crate::{
    KernelError, Wasmtime,
    fixture::{Args, Counts, Entry, MODULE, Observed, SPEC, SPIN, load, module},
};

#[test]
fn the_calls_of_a_failed_batch_have_what_is_left_of_its_budget() {
    let engine = Observed::new(Arc::new(Wasmtime::new().start_engine().unwrap()));
    let kernel = load(Arc::new(engine.clone()), module(&SPEC, MODULE), 1);
    let (x, mut y) = ([0.5; 8], [[0.0; 8]; 3]);
    let mut batch = Calls::of::<Counts>();
    for (y, mode) in y.iter_mut().zip([1, SPIN, 2]) {
        let (x, y) = (TensorView::new(&x, &[8]).unwrap(), TensorViewMut::new(y, &[8]).unwrap());
        batch.push::<Counts>(Args { x, y, mode }).unwrap();
    }
    let ticks = 10;
    let error = kernel.call_batch(&SPEC.forward, &mut batch, ticks).unwrap_err();
    assert!(matches!(&error, Error::Kernel(failure) if failure.error == KernelError::EpochDeadline), "{error}");
    let single = Entry::Call(Export::Forward, LEAST_TICKS);
    assert_eq!(engine.entries(), [Entry::Batch(3 * ticks), single, single], "the second call ends the batch");
    drop(batch);
    assert_eq!(y, [[1.5; 8], [0.0; 8], [0.0; 8]]);
}
