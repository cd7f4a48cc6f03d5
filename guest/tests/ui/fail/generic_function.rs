#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
pub fn k<T>(
    #[shape(n)] x: &[T],
    #[shape(n)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
