#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel(colour = "red")]
pub async fn k(
    x: &[f64],
    #[shape(dim + 1)] weight: &[f32],
    #[shape(rows)] y: &mut [f32],
    eps: f32,
    cols: usize,
    #[param(default = -1)] count: u32,
) -> Result<()> {
    Ok(())
}

fn main() {}
