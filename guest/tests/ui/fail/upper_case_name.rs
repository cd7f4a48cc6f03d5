#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
#[allow(non_snake_case)]
pub fn RmsNorm(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
