#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
pub fn k(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
    #[inout]
    #[scratch(len = n)]
    tmp: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
