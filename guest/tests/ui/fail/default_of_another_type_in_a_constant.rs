#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

const EPS: f64 = 1e-5;

#[kernel]
pub fn k(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
    #[param(default = EPS)] eps: f32,
) -> Result<()> {
    Ok(())
}

fn main() {}
