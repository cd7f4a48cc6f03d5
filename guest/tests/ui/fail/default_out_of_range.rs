#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
pub fn k(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
    #[param(default = 4294967296)] count: u32,
) -> Result<()> {
    Ok(())
}

fn main() {}
