#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel(split = rows)]
pub fn k(#[shape(rows / 2)] x: &[f32], #[shape(rows)] y: &mut [f32]) -> Result<()> {
    Ok(())
}

fn main() {}
