//! Scalars that cannot give a finite result are refused, in every engine and natively.

use kernelpack_abi::{Infer, Kernel, TensorBuf};
use kernelpack_guest::f16;
use kernelpack_kernels::{
    lora_apply_f16, lora_apply_f32, lora_apply_f32_backward, rmsnorm_f16, rmsnorm_f32, rmsnorm_f32_backward, rope_f16,
    rope_f32, rope_f32_backward, rope_q8,
};
use kernelpack_tests::pack;

use crate::sandbox::{run, run_backward};

const NOT_FINITE: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

/// Asserts that a kernel refuses a call everywhere.
fn refused<'i, K>(inputs: K::Inputs<'i>, message: &str)
where
    K: Kernel + Infer,
    K::Inputs<'i>: Copy,
{
    for (engine, pack) in pack::engines() {
        let error = pack.kernel::<K>().unwrap().run(inputs).err().unwrap_or_else(|| panic!("{engine} answers"));
        told(&error.to_string(), message);
    }
    let mut outputs = K::allocate(&inputs).unwrap();
    told(&K::reference(K::join(inputs, &mut outputs)).unwrap_err().to_string(), message);
}

/// Asserts that the backward pass of a kernel refuses a call everywhere.
fn refused_backward<'i, K>(inputs: <K::Backward as Infer>::Inputs<'i>, message: &str)
where
    K: Kernel,
    K::Backward: Infer,
    <K::Backward as Infer>::Inputs<'i>: Copy,
{
    let mut outputs = <K::Backward as Infer>::allocate(&inputs).unwrap();
    for (engine, pack) in pack::engines() {
        let kernel = pack.kernel::<K>().unwrap();
        let args = <K::Backward as Infer>::join(inputs, &mut outputs);
        let error = kernel.backward(args).err().unwrap_or_else(|| panic!("{engine} answers"));
        told(&error.to_string(), message);
    }
}

fn told(error: &str, message: &str) {
    assert!(error.contains("INVALID_PARAMS") && error.contains(message), "{error}");
}

#[test]
fn rmsnorm_refuses_an_eps_that_makes_no_root() {
    let (x, weight) = (TensorBuf::<f32>::zeros(&[2, 3]).unwrap(), TensorBuf::<f32>::zeros(&[3]).unwrap());
    let (x16, weight16) = (TensorBuf::<f16>::zeros(&[2, 3]).unwrap(), TensorBuf::<f16>::zeros(&[3]).unwrap());
    let forward = rmsnorm_f32::Inputs::new(x.view(), weight.view());
    let half = rmsnorm_f16::Inputs::new(x16.view(), weight16.view());
    let backward = rmsnorm_f32_backward::Inputs::new(x.view(), weight.view(), x.view());
    for eps in [-1e-5, -f32::from_bits(1)].into_iter().chain(NOT_FINITE) {
        let message = "eps must be finite and not negative";
        refused::<rmsnorm_f32::Kernel>(rmsnorm_f32::Inputs { eps, ..forward }, message);
        refused::<rmsnorm_f16::Kernel>(rmsnorm_f16::Inputs { eps, ..half }, message);
        refused_backward::<rmsnorm_f32::Kernel>(rmsnorm_f32_backward::Inputs { eps, ..backward }, message);
    }
    for eps in [0.0, -0.0, f32::MAX] {
        run::<rmsnorm_f32::Kernel>(rmsnorm_f32::Inputs { eps, ..forward });
        run::<rmsnorm_f16::Kernel>(rmsnorm_f16::Inputs { eps, ..half });
        run_backward::<rmsnorm_f32::Kernel>(rmsnorm_f32_backward::Inputs { eps, ..backward });
    }
}

#[test]
fn lora_refuses_a_scale_that_is_not_finite() {
    let one = TensorBuf::<f32>::zeros(&[1, 1]).unwrap();
    let one16 = TensorBuf::<f16>::zeros(&[1, 1]).unwrap();
    let forward = lora_apply_f32::Inputs::new(one.view(), one.view(), one.view(), one.view());
    let half = lora_apply_f16::Inputs::new(one16.view(), one16.view(), one16.view(), one16.view());
    let backward = lora_apply_f32_backward::Inputs::new(one.view(), one.view(), one.view(), one.view());
    for scale in NOT_FINITE {
        let message = "scale must be finite";
        refused::<lora_apply_f32::Kernel>(lora_apply_f32::Inputs { scale, ..forward }, message);
        refused::<lora_apply_f16::Kernel>(lora_apply_f16::Inputs { scale, ..half }, message);
        refused_backward::<lora_apply_f32::Kernel>(lora_apply_f32_backward::Inputs { scale, ..backward }, message);
    }
    for scale in [0.0, -0.0, -2.0, f32::MAX, f32::MIN] {
        run::<lora_apply_f32::Kernel>(lora_apply_f32::Inputs { scale, ..forward });
        run::<lora_apply_f16::Kernel>(lora_apply_f16::Inputs { scale, ..half });
        run_backward::<lora_apply_f32::Kernel>(lora_apply_f32_backward::Inputs { scale, ..backward });
    }
}

/// With `freqs`, which contain the angles, the base is unused.
#[test]
fn rope_refuses_a_base_that_makes_no_angles() {
    let (x, freqs) = (TensorBuf::<f32>::zeros(&[1, 2, 1, 32]).unwrap(), TensorBuf::<f32>::zeros(&[2, 16]).unwrap());
    let x16 = TensorBuf::<f16>::zeros(&[1, 2, 1, 32]).unwrap();
    let blocks = TensorBuf::<kernelpack_guest::BlockQ8_0>::zeros(&[1, 2, 1, 1]).unwrap();
    let refused_by_all = |theta, position_offset, message| {
        let forward = rope_f32::Inputs { theta, position_offset, ..rope_f32::Inputs::new(x.view()) };
        refused::<rope_f32::Kernel>(forward, message);
        let half = rope_f16::Inputs { theta, position_offset, ..rope_f16::Inputs::new(x16.view()) };
        refused::<rope_f16::Kernel>(half, message);
        let backward = rope_f32_backward::Inputs { theta, position_offset, ..rope_f32_backward::Inputs::new(x.view()) };
        refused_backward::<rope_f32::Kernel>(backward, message);
        let quantized = rope_q8::Inputs { theta, position_offset, ..rope_q8::Inputs::new(blocks.view()) };
        refused::<rope_q8::Kernel>(quantized, message);
        run::<rope_f32::Kernel>(rope_f32::Inputs { freqs: Some(freqs.view()), ..forward });
    };
    for theta in [0.0, -0.0, -1.0].into_iter().chain(NOT_FINITE) {
        refused_by_all(theta, 0, "theta must be positive and finite");
    }
    // The last pair's frequency is 1e42.
    refused_by_all(f32::from_bits(1), u32::MAX, "theta is so small that angles leave the range of f32");
    run::<rope_f32::Kernel>(rope_f32::Inputs { theta: f32::MAX, ..rope_f32::Inputs::new(x.view()) });
}
