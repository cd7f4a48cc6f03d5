#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
pub fn k(#[shape(n)] x: &[f32], #[shape(n)] y: &mut [f32], #[param] mut factor: f32) -> Result<()> {
    factor *= 2.0;
    y.fill(factor);
    Ok(())
}

fn main() {}
