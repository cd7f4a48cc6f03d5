#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[derive(Clone, Copy, Debug)]
pub struct Complex {
    pub re: f32,
    pub im: f32,
}

#[kernel]
pub fn k(
    #[shape(n)] x: &[Complex],
    #[shape(n)] y: &mut [f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
