#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

const MAX: f32 = 1.0 / 0.0;

#[kernel]
pub fn k(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
    #[param(default = f32::NAN)] start: f32,
    #[param(default = -MAX)] least: f32,
) -> Result<()> {
    Ok(())
}

fn main() {}
