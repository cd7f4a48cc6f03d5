#![allow(unused_variables)]

use kernelpack_guest::{Result, kernel};

pub struct Scale;

impl Scale {
    #[kernel]
    pub fn k(&self, #[shape(n)] x: &[f32], #[shape(n)] y: &mut [f32]) -> Result<()> {
        Ok(())
    }
}

fn main() {}
