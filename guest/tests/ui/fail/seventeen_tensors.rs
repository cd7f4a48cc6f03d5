#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

#[kernel]
pub fn k(
    #[shape(n)] y: &mut [f32],
    #[shape(n)] x0: &[f32],
    #[shape(n)] x1: &[f32],
    #[shape(n)] x2: &[f32],
    #[shape(n)] x3: &[f32],
    #[shape(n)] x4: &[f32],
    #[shape(n)] x5: &[f32],
    #[shape(n)] x6: &[f32],
    #[shape(n)] x7: &[f32],
    #[shape(n)] x8: &[f32],
    #[shape(n)] x9: &[f32],
    #[shape(n)] x10: &[f32],
    #[shape(n)] x11: &[f32],
    #[shape(n)] x12: &[f32],
    #[shape(n)] x13: &[f32],
    #[shape(n)] x14: &[f32],
    #[shape(n)] x15: &[f32],
) -> Result<()> {
    Ok(())
}

fn main() {}
