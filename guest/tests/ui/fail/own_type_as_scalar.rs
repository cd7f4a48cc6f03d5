#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

pub enum Mode {
    Fast,
}

#[kernel]
pub fn k(
    #[shape(n)] x: &[f32],
    #[shape(n)] y: &mut [f32],
    #[param] mode: Mode,
) -> Result<()> {
    Ok(())
}

fn main() {}
