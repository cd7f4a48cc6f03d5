#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
#[allow(non_snake_case)]
pub fn k(
    #[shape(n)] X: &[f32],
    #[shape(n)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
