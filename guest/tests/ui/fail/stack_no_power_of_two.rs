#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel(max_stack_bytes = 100_000, max_instances = 0)]
pub fn k(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

#[kernel(max_stack_bytes = 33_554_432)]
pub fn too_much(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
