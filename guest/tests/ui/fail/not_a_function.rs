#![allow(unused_variables)]

use kernelpack_guest::kernel;

#[kernel]
pub struct Scale {
    pub factor: f32,
}

fn main() {}
