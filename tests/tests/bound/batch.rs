//! Tests batches: many calls per entry into the sandbox.

use std::time::Duration;

use kernelpack_host::{
    Error, Tensor, TypedKernel,
    abi::{Pass as _, TensorView, TensorViewMut},
    error::KernelError,
    policy::{BreakerPolicy, FallbackPolicy},
};
use kernelpack_kernels::{kv_pack_q8, rmsnorm_f32, rope_f32};
use kernelpack_tests::{apply, engine::Engine, on_each_engine};

use crate::{
    alone,
    chain::values,
    core,
    stub::{Args, Forward, honest, square},
    wat_kernel::{Parts, SPEC},
};

const DIM: usize = 256;

#[apply(on_each_engine)]
fn a_batch_gives_what_its_calls_give(engine: Engine) {
    let _alone = alone();
    let kernel = core(engine).kernel::<rmsnorm_f32::Kernel>().unwrap();
    let (weight, other) = (values(DIM, 1), values(DIM, 2));
    // The rows have different shapes and scalars; some share the weight of the previous call.
    let rows = [1, 3, 2, 2, 7];
    let inputs: Vec<Vec<f32>> = rows.iter().map(|rows| values(rows * DIM, *rows as u32)).collect();
    let weights = [&weight, &weight, &other, &weight, &weight];
    let mut outputs: Vec<_> = rows.iter().map(|rows| Tensor::on_heap(&[*rows, DIM]).unwrap()).collect();
    let mut expected: Vec<_> = rows.iter().map(|rows| Tensor::on_heap(&[*rows, DIM]).unwrap()).collect();
    let calls = |outputs: &mut Vec<Tensor<f32>>, run: &mut dyn FnMut(Vec<rmsnorm_f32::Args<'_>>)| {
        run(outputs
            .iter_mut()
            .enumerate()
            .map(|(index, y)| rmsnorm_f32::Args {
                x: TensorView::new(&inputs[index], &[rows[index], DIM]).unwrap(),
                weight: TensorView::new(weights[index], &[DIM]).unwrap(),
                y: y.view_mut(),
                eps: 10f32.powi(-(index as i32)),
            })
            .collect());
    };
    calls(&mut expected, &mut |calls| calls.into_iter().for_each(|args| kernel.call(args).unwrap()));
    calls(&mut outputs, &mut |calls| kernel.call_batch(calls).unwrap());
    for (y, expected) in outputs.iter().zip(&expected) {
        assert_eq!(y.as_slice(), expected.as_slice());
    }
    // An instance that ran a batch can run single calls, and vice versa.
    calls(&mut outputs, &mut |calls| calls.into_iter().for_each(|args| kernel.call(args).unwrap()));
    calls(&mut outputs, &mut |calls| kernel.call_batch(calls).unwrap());
    assert_eq!(outputs[4].as_slice(), expected[4].as_slice());
    kernel.call_batch([]).unwrap();
}

/// A batch like the previous one is not checked or laid out again if only values differ; any other difference counts.
#[apply(on_each_engine)]
fn batches_in_turns_give_what_their_calls_give(engine: Engine) {
    let _alone = alone();
    let kernel = core(engine).kernel::<rmsnorm_f32::Kernel>().unwrap();
    // The number of the weight for each row, the number of rows, and their length.
    let batches: [(&[u32], usize, usize); 8] = [
        (&[1, 1, 1], 1, DIM),
        (&[2, 2, 2], 1, DIM),
        (&[1, 2, 3], 1, DIM),
        (&[1, 2, 2], 1, DIM),
        (&[1, 1, 2], 1, DIM),
        (&[1, 1, 1, 1], 1, DIM),
        (&[1, 1, 1], 2, DIM),
        (&[1, 1, 1], 1, 2 * DIM),
    ];
    // Runs each batch twice in a row, and the first two batches after all others.
    for (step, turn) in (0..batches.len()).flat_map(|from| [from, from, 0, 1, 0]).enumerate() {
        let (weights, rows, dim) = batches[turn];
        let weight: Vec<_> = (0..4).map(|seed| values(dim, seed)).collect();
        let x: Vec<_> = (0..weights.len()).map(|row| values(rows * dim, (step * 8 + row) as u32)).collect();
        let mut outputs: Vec<_> = weights.iter().map(|_| Tensor::<f32>::on_heap(&[rows, dim]).unwrap()).collect();
        let mut expected: Vec<_> = weights.iter().map(|_| Tensor::<f32>::on_heap(&[rows, dim]).unwrap()).collect();
        let calls = |outputs: &mut [Tensor<f32>], run: &mut dyn FnMut(Vec<rmsnorm_f32::Args<'_>>)| {
            let args = outputs.iter_mut().enumerate().map(|(row, y)| rmsnorm_f32::Args {
                x: TensorView::new(&x[row], &[rows, dim]).unwrap(),
                weight: TensorView::new(&weight[weights[row] as usize], &[dim]).unwrap(),
                y: y.view_mut(),
                eps: 0.5f32.powi((step + row) as i32 % 9),
            });
            run(args.collect());
        };
        calls(&mut outputs, &mut |calls| kernel.call_batch(calls).unwrap());
        calls(&mut expected, &mut |calls| {
            calls.into_iter().for_each(|args| rmsnorm_f32::Kernel::reference(args).unwrap());
        });
        for (row, (y, expected)) in outputs.iter().zip(&expected).enumerate() {
            assert_eq!(y.as_slice(), expected.as_slice(), "step {step}, row {row} of batch {turn}");
        }
    }
    assert_eq!(kernel.occupancy().idle, 1);
}

#[apply(on_each_engine)]
fn kernels_with_scratch_run_in_batches(engine: Engine) {
    let _alone = alone();
    let kernel = core(engine).kernel::<rope_f32::Kernel>().unwrap();
    let start = values(2 * 3 * 4 * 64, 3);
    let x = TensorView::new(&start, &[2, 3, 4, 64]).unwrap();
    let mut expected = Tensor::on_heap(&[2, 3, 4, 64]).unwrap();
    kernel.call(rope_f32::Args::new(x, expected.view_mut())).unwrap();
    let mut batch: Vec<_> = (0..3).map(|_| Tensor::on_heap(&[2, 3, 4, 64]).unwrap()).collect();
    kernel.call_batch(batch.iter_mut().map(|y| rope_f32::Args::new(x, y.view_mut()))).unwrap();
    assert!(batch.iter().all(|y| y.as_slice() == expected.as_slice()));
}

#[apply(on_each_engine)]
fn the_first_call_that_fails_is_told_and_those_before_it_have_their_results(engine: Engine) {
    let _alone = alone();
    let kernel = core(engine).kernel::<kv_pack_q8::Kernel>().unwrap();
    let (x, wrong) = (values(64, 4), values(64, 5));
    let expected = kernel.run(kv_pack_q8::Inputs::new(TensorView::new(&x, &[1, 64]).unwrap())).unwrap();
    let mut outputs: Vec<_> = (0..3).map(|_| Tensor::on_heap(&[1, 2]).unwrap()).collect();
    let calls = outputs.iter_mut().enumerate().map(|(index, y)| {
        // The second call has two rows, but its output has one.
        let x = if index == 1 { TensorView::new(&wrong, &[2, 32]) } else { TensorView::new(&x, &[1, 64]) };
        kv_pack_q8::Args::new(x.unwrap(), y.view_mut())
    });
    let refused = kernel.call_batch(calls).unwrap_err();
    assert!(matches!(refused, Error::BadCall(_)), "{refused}");
    assert_eq!(outputs[0].as_slice(), expected.y.data());
    assert_ne!(outputs[2].as_slice(), expected.y.data());
}

#[apply(on_each_engine)]
fn a_module_without_the_export_runs_calls_one_by_one_and_is_stopped_as_ever(engine: Engine) {
    let _alone = alone();
    let kernel = kernel(engine, &square(SPEC.limits));
    check(&kernel, crate::stub::SPIN, KernelError::EpochDeadline);
    check(&kernel, crate::stub::TRAP, KernelError::Unreachable);
}

#[apply(on_each_engine)]
fn a_batch_that_is_stopped_falls_apart_into_its_calls(engine: Engine) {
    let _alone = alone();
    let parts = Parts {
        exports: r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
            (func (export "kernel_forward_batch") (param $at i32) (param $count i32) (result i64)
                (local $status i32)
                (block $done (loop $next
                    (br_if $done (i32.eqz (local.get $count)))
                    (local.set $status (call $forward (local.get $at)))
                    (br_if $done (local.get $status))
                    (local.set $at (i32.add (local.get $at) (i32.const 40)))
                    (local.set $count (i32.sub (local.get $count) (i32.const 1)))
                    (br $next)))
                (i64.extend_i32_u (local.get $status)))
            (func (export "kernel_info") (param i32) (result i32) i32.const 0)"#,
        ..square(SPEC.limits)
    };
    let kernel = kernel(engine, &parts);
    check(&kernel, crate::stub::SPIN, KernelError::EpochDeadline);
    check(&kernel, crate::stub::TRAP, KernelError::Unreachable);
}

fn kernel(engine: Engine, parts: &Parts) -> TypedKernel<Forward> {
    let runtime = engine.builder().fallback(FallbackPolicy::Never).breaker(BreakerPolicy::Never).build().unwrap();
    runtime.open(engine.ready(honest(parts)).path()).unwrap().kernel().unwrap()
}

#[apply(on_each_engine)]
fn a_kernel_that_is_called_in_batches_alone_comes_back_into_service(engine: Engine) {
    let _alone = alone();
    let open_for = Duration::from_millis(200);
    let breaker = BreakerPolicy::after(1, open_for);
    let runtime = engine.builder().fallback(FallbackPolicy::Never).breaker(breaker).build().unwrap();
    let pack = engine.ready(honest(&square(SPEC.limits)));
    let kernel = runtime.open(pack.path()).unwrap().kernel::<Forward>().unwrap();
    let mut outputs = [[0.0; 2]; 4];
    assert!(matches!(batch(&kernel, &mut outputs, crate::stub::TRAP), Err(Error::Kernel(_))));
    assert!(matches!(batch(&kernel, &mut outputs, 2), Err(Error::OutOfService(_))));
    std::thread::sleep(open_for);
    batch(&kernel, &mut outputs, 2).unwrap();
    assert_eq!(outputs, [[4.0, 9.0], [5.0, 10.0], [6.0, 11.0], [7.0, 12.0]]);
}

/// Makes four calls, the third in this mode.
fn batch(kernel: &TypedKernel<Forward>, outputs: &mut [[f32; 2]; 4], mode: i32) -> Result<(), Error> {
    let x = [2.0, 3.0];
    kernel.call_batch(outputs.iter_mut().enumerate().map(|(index, y)| Args {
        x: TensorView::new(&x, &[2]).unwrap(),
        y: TensorViewMut::new(y, &[2]).unwrap(),
        mode: if index == 2 { mode } else { index as i32 },
    }))
}

/// Checks that the third of four calls fails in this mode, and that the calls before it have their results.
fn check(kernel: &TypedKernel<Forward>, mode: i32, error: KernelError) {
    let mut outputs = [[0.0f32; 2]; 4];
    batch(kernel, &mut outputs, 2).unwrap();
    assert_eq!(outputs, [[4.0, 9.0], [5.0, 10.0], [6.0, 11.0], [7.0, 12.0]]);
    outputs = [[0.0; 2]; 4];
    let Err(Error::Kernel(trapped)) = batch(kernel, &mut outputs, mode) else { panic!("the call succeeded") };
    assert_eq!(trapped.error, error);
    assert_eq!(outputs, [[4.0, 9.0], [5.0, 10.0], [0.0; 2], [0.0; 2]]);
}
