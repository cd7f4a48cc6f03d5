//! Initialization, cleanup and a backward pass, with names that the generated code might have used itself.
#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications)]

mod passes {
    use kernelpack_guest::{Result, backward, kernel};

    fn init(params: &scale_f32::Params) -> Result<()> {
        kernelpack_guest::ensure!(params.factor.is_finite(), InvalidParams, "factor is {}", params.factor);
        Ok(())
    }

    fn cleanup() -> Result<()> {
        Ok(())
    }

    /// y = factor · x.
    #[kernel(init = init, cleanup = self::cleanup, backward = self::backward_of_scale)]
    pub fn scale_f32(
        #[shape(n)] x: &[f32],
        #[shape(n)] y: &mut [f32],
        #[param(default = 1.0)] factor: f32,
    ) -> Result<()> {
        for (y, x) in y.iter_mut().zip(x) {
            *y = factor * x;
        }
        Ok(())
    }

    /// dx = factor · dy.
    #[backward]
    pub fn backward_of_scale(
        #[shape(n)] dy: &[f32],
        #[shape(n)] dx: &mut [f32],
        #[param(default = 1.0)] factor: f32,
    ) -> Result<()> {
        scale_f32(dy, dx, factor)
    }
}

pub use passes::{backward_of_scale, scale_f32};

fn main() {
    let spec = scale_f32::SPEC;
    assert!(spec.lifecycle.init && spec.lifecycle.cleanup);
    assert_eq!(spec.backward, Some(backward_of_scale::SIGNATURE));
    assert_eq!(scale_f32::Params::default().factor, 1.0);
    let mut dx = [0.0];
    backward_of_scale(&[2.0], &mut dx, 4.0).unwrap();
    assert_eq!(dx, [8.0]);
}
