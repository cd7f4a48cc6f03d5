#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
pub fn k(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
    #[param(default = 2147483648)] offset: i32,
) -> Result<()> {
    Ok(())
}

fn main() {}
