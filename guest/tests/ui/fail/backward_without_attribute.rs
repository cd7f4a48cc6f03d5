#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

pub fn k_backward(x: &[f32], y: &mut [f32]) -> Result<()> {
    y.copy_from_slice(x);
    Ok(())
}

#[kernel(backward = k_backward)]
pub fn k(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
