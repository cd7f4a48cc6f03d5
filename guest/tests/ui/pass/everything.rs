//! Every feature in one kernel, under the strictest lints.
#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    unsafe_op_in_unsafe_fn,
    elided_lifetimes_in_paths,
    single_use_lifetimes,
    trivial_casts,
    unused_lifetimes,
    unsafe_code
)]

/// A crate that gives the guest another name.
pub mod toolkit {
    pub use kernelpack_guest::*;

    /// A constant of another module.
    pub const SLOPE: f32 = 0.25;
    /// A name for quantized blocks.
    pub type Block = BlockQ8_0;
}

use toolkit::{BlockQ4_0, BlockQ8_0, Result, f16, kernel};

/// Weights, under a name of the author's own.
type Weight = i8;
const SLOPE: f32 = 0.25;

/// Everything at once.
///
/// The second paragraph is for readers only.
#[cfg(all())]
#[kernel(
    name = "Everything (mixed)",
    category = "testing",
    family = "every",
    entry_point = "every_entry",
    fallback = "",
    max_memory_pages = 64,
    max_epoch_ticks = 5,
    max_table_elements = 0,
    max_instances = 1,
    max_stack_bytes = 65_536,
    crate = self::toolkit,
)]
pub fn everything_f32(
    #[shape(rows, dim)] floats: &[f32],
    #[shape(rows, dim)] halves: &[f16],
    #[shape(dim)] weights: &[Weight],
    #[shape(dim)] bytes: &[u8],
    #[shape(rows)] steps: &[i32],
    #[shape(rows)] ids: &[u32],
    #[shape(rows, dim / 32)] q8: &[BlockQ8_0],
    #[shape(rows, dim / 32)] q4: Option<&[BlockQ4_0]>,
    #[shape(dim * 2)] wide: Option<&[toolkit::Block]>,
    #[shape(4, (rows))] fixed: &[f32],
    #[shape()] one: &[f32],
    #[inout]
    #[shape(rows, dim)]
    state: &mut [f32],
    #[shape(rows)] y: &mut [f32],
    #[scratch(len = (rows - 0) * dim / 2 + 1)] tmp: &mut [f32],
    #[param(default = core::f32::consts::PI)] angle: f32,
    #[param(default = SLOPE * 2.0)] slope: f32,
    #[param(default = self::toolkit::SLOPE)] other_slope: f32,
    #[param(default = -3)] offset: i32,
    #[param(default = -2147483648)] least: i32,
    #[param(default = 4294967295)] seed: u32,
    #[param(default = true)] causal: bool,
    #[param] gain: f32,
    rows: usize,
    dim: usize,
) -> Result<()> {
    toolkit::ensure!(floats.len() == rows * dim && halves.len() == rows * dim, InvalidInput, "floats");
    toolkit::ensure!(weights.len() == dim && bytes.len() == dim && steps.len() == rows, InvalidInput, "lengths");
    toolkit::ensure!(ids.len() == rows && q8.len() == rows * dim / 32 && one.len() == 1, InvalidInput, "lengths");
    toolkit::ensure!(q4.is_none_or(|q4| q4.len() == q8.len()), InvalidInput, "q4");
    toolkit::ensure!(wide.is_none_or(|wide| wide.len() == 2 * dim) && fixed.len() == 4 * rows, InvalidInput, "wide");
    toolkit::ensure!(tmp.len() == rows * dim / 2 + 1 && state.len() == rows * dim, InvalidInput, "tmp");
    toolkit::ensure!(causal && least == i32::MIN && seed == u32::MAX && offset == -3, InvalidParams, "defaults");
    y.fill(angle + slope + other_slope + gain);
    Ok(())
}

fn main() {
    use everything_f32::{Inputs, Kernel, Params, SPEC};
    use toolkit::abi::{Infer as _, ParamValue, Pass as _, TensorBuf};

    assert_eq!(SPEC.description, "Everything at once.");
    assert_eq!((SPEC.name, SPEC.category, SPEC.family), ("Everything (mixed)", "testing", "every"));
    assert_eq!((SPEC.entry_point, SPEC.fallback), ("every_entry", ""));
    assert_eq!(SPEC.forward.symbols, ["rows", "dim"]);
    let defaults: Vec<_> = SPEC.forward.params.iter().map(|param| param.default).collect();
    assert_eq!(defaults[0], Some(ParamValue::F32(core::f32::consts::PI)));
    assert_eq!(defaults[1..3], [Some(ParamValue::F32(0.5)), Some(ParamValue::F32(0.25))]);
    assert_eq!(defaults[3..5], [Some(ParamValue::I32(-3)), Some(ParamValue::I32(i32::MIN))]);
    assert_eq!(defaults[5..], [Some(ParamValue::U32(u32::MAX)), Some(ParamValue::Bool(true)), None]);

    let floats = TensorBuf::<f32>::zeros(&[2, 64]).unwrap();
    let halves = TensorBuf::<f16>::zeros(&[2, 64]).unwrap();
    let weights = TensorBuf::<i8>::zeros(&[64]).unwrap();
    let bytes = TensorBuf::<u8>::zeros(&[64]).unwrap();
    let steps = TensorBuf::<i32>::zeros(&[2]).unwrap();
    let ids = TensorBuf::<u32>::zeros(&[2]).unwrap();
    let q8 = TensorBuf::<BlockQ8_0>::zeros(&[2, 2]).unwrap();
    let fixed = TensorBuf::<f32>::zeros(&[4, 2]).unwrap();
    let one = TensorBuf::<f32>::zeros(&[]).unwrap();
    let inputs = Inputs::new(
        floats.view(),
        halves.view(),
        weights.view(),
        bytes.view(),
        steps.view(),
        ids.view(),
        q8.view(),
        fixed.view(),
        one.view(),
        floats.view(),
        1.0,
    );
    let mut outputs = Kernel::allocate(&inputs).unwrap();
    Kernel::reference(Kernel::join(inputs, &mut outputs)).unwrap();
    assert_eq!(outputs.y.data(), [core::f32::consts::PI + 1.75; 2]);
    let params = Params {
        angle: 0.0,
        slope: 0.0,
        other_slope: 0.0,
        offset: 0,
        least: 0,
        seed: 0,
        causal: false,
        gain: 0.0,
    };
    assert_eq!(params, params.clone());
}
