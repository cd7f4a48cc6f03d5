#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

fn teardown(_: u32) -> Result<()> {
    Ok(())
}

#[kernel(cleanup = teardown)]
pub fn k(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
