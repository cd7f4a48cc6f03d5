#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
pub fn k(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
    #[inout]
    #[shape(n)]
    state: &[f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
