#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
pub fn k(
    #[shape(N)] x: &[f32],
    #[shape(N)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
