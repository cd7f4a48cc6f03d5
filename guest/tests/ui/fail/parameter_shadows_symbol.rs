#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
pub fn k(
    #[shape(x)] x: &[f32],
    #[shape(x)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
