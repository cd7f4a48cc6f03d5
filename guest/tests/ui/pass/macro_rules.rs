//! Kernels that `macro_rules!` makes, with each kind of fragment where the attributes read something.
#![deny(warnings, missing_docs, unused_qualifications)]

use kernelpack_guest::{Result, abi::Element as _, backward, f16, kernel};

macro_rules! copies {
    (
        $(#[$attribute:meta])* $vis:vis $name:ident, $backward:ident, $element:ty, $slice:ty, $returns:ty, $doc:expr,
        $category:literal, $pages:expr, $blocks:expr, $factor:expr, $default:expr, $symbol:ident, $sum:expr
    ) => {
        $(#[$attribute])*
        #[doc = $doc]
        #[kernel(category = $category, max_memory_pages = $pages, split = [$symbol], backward = $backward)]
        $vis fn $name(
            #[shape($symbol, $blocks, width)] x: &[$element],
            #[shape(width * $factor)] bias: Option<&[$element]>,
            #[shape($symbol, $blocks, width)] y: &mut $slice,
            #[scratch(len = $blocks * $symbol + $sum)] copy: &mut [$element],
            #[param(default = $default)] times: i32,
            $symbol: usize,
        ) -> $returns {
            assert!(times > $default && bias.is_none() && $symbol * $blocks + $sum == copy.len());
            y.copy_from_slice(x);
            Ok(())
        }

        /// Copies the gradient.
        #[backward]
        $vis fn $backward(#[shape($symbol, n)] dy: &[$element], #[shape($symbol, n)] dx: &mut $slice) -> $returns {
            dx.copy_from_slice(dy);
            Ok(())
        }
    };
}

copies!(
    #[allow(clippy::assertions_on_constants)]
    pub copy_f32, copy_f32_backward, f32, [f32], Result<()>, "Copies f32.", "test", 64, 4, 2, -3, rows, 2 + 3
);
copies!(pub(crate) copy_f16, copy_f16_backward, f16, [f16], Result<()>, "Copies f16.", "test", 32, 8, 3, -1, tokens, 1);

fn main() {
    let spec = <copy_f32::Kernel as kernelpack_guest::abi::Kernel>::SPEC;
    assert_eq!((spec.description, spec.category, spec.limits.max_memory_pages), ("Copies f32.", "test", 64));
    assert_eq!(spec.forward.symbols, ["rows", "width"]);
    assert_eq!(spec.forward.tensors[1].dims, [kernelpack_guest::abi::Dim::Mul(1, 2)]);
    assert_eq!(spec.forward.params[0].default, Some(kernelpack_guest::abi::ParamValue::I32(-3)));
    let spec = <copy_f16::Kernel as kernelpack_guest::abi::Kernel>::SPEC;
    assert_eq!((spec.forward.tensors[0].dtype, spec.forward.symbols), (f16::DTYPE, &["tokens", "width"][..]));
    let mut y = [0.0; 4];
    copy_f32(&[1.0, 2.0, 3.0, 4.0], None, &mut y, &mut [0.0; 9], 0, 1).unwrap();
    assert_eq!(y, [1.0, 2.0, 3.0, 4.0]);
}
