#![allow(unused_variables)]

use kernelpack_guest::kernel;

#[kernel]
pub fn k(#[shape(n)] x: &[f32], #[shape(n)] y: &mut [f32]) -> bool {
    true
}

fn main() {}
