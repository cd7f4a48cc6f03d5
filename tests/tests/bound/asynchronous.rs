//! Tests bound calls that return futures: the future owns the binding, and returns it with the tensors.

use std::pin::pin;

use futures_lite::future::{block_on, poll_once};
use kernelpack_abi::ResourceLimits;
use kernelpack_host::{Bound, Error, Tensor, TypedKernel, error::KernelError};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{
    alone,
    stub::{Args, Forward, SPIN, honest, square},
    wat_kernel::SPEC,
};

type Tensors = (Tensor<f32>, Tensor<f32>);

fn kernel(engine: Engine) -> TypedKernel<Forward> {
    let limits = ResourceLimits { max_epoch_ticks: 10, ..SPEC.limits };
    engine.runtime().open(engine.ready(honest(&square(limits))).path()).unwrap().kernel().unwrap()
}

fn bind(kernel: &TypedKernel<Forward>) -> (Bound<Forward>, Tensors) {
    let (x, mut y) = (Tensor::from_slice(&[3.0; 5000], &[5000]).unwrap(), Tensor::zeros(&[5000]).unwrap());
    let bound = kernel.bind(Args { x: x.view(), y: y.view_mut(), mode: 0 }).unwrap();
    (bound, (x, y))
}

fn call(
    bound: Bound<Forward>,
    tensors: Tensors,
    mode: i32,
) -> impl Future<Output = (Bound<Forward>, Tensors, Result<(), Error>)> + Send {
    bound.call_async(tensors, move |(x, y)| Args { x: x.view(), y: y.view_mut(), mode })
}

#[apply(on_each_engine)]
fn a_future_returns_the_binding_and_its_tensors(engine: Engine) {
    let _alone = alone();
    let (mut bound, mut tensors) = bind(&kernel(engine));
    let copied = bound.copied_bytes();
    for mode in [1, 2, SPIN, 3] {
        let result;
        (bound, tensors, result) = block_on(call(bound, tensors, mode));
        if mode == SPIN {
            let error = result.unwrap_err();
            assert!(matches!(&error, Error::Kernel(stop) if stop.error == KernelError::EpochDeadline), "{error}");
        } else {
            result.unwrap();
            assert!(tensors.1.as_slice().iter().all(|y| *y == 9.0 + mode as f32));
        }
        assert_eq!(bound.copied_bytes(), copied, "it is bound to the same tensors");
    }
}

#[apply(on_each_engine)]
fn a_dropped_future_drops_the_binding_once_the_kernel_has_ended(engine: Engine) {
    let _alone = alone();
    let kernel = kernel(engine);
    let (bound, tensors) = bind(&kernel);
    drop(call(bound, tensors, 0));
    assert_eq!(kernel.occupancy().bound, 0, "a call that has not begun");

    let (bound, tensors) = bind(&kernel);
    assert!(block_on(poll_once(pin!(call(bound, tensors, SPIN)))).is_none());
    while kernel.occupancy().bound > 0 {
        std::thread::yield_now();
    }
    // The pool of ordinary calls is not affected.
    let (x, mut y) = ([2.0; 4], [0.0; 4]);
    let view = |x| kernelpack_abi::TensorView::new(x, &[4]).unwrap();
    let y_view = kernelpack_abi::TensorViewMut::new(&mut y, &[4]).unwrap();
    kernel.call(Args { x: view(&x), y: y_view, mode: 0 }).unwrap();
    assert_eq!(y, [4.0; 4]);
}
