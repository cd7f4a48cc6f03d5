#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel(split = dim)]
pub fn k(#[shape(rows, dim)] x: &[f32], #[shape(rows, dim)] y: &mut [f32]) -> Result<()> {
    Ok(())
}

fn main() {}
