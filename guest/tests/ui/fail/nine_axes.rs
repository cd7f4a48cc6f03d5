#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
pub fn k(
    #[shape(a, b, c, d, e, f, g, h, i)] x: &[f32],
    #[shape(a, b, c, d, e, f, g, h)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
