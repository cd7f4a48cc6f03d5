//! Several kernels in a crate: private ones, and one in a nested module that is used from outside.
#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications)]

mod family {
    use kernelpack_guest::{Result, kernel};

    /// Doubles.
    #[kernel]
    pub(crate) fn double_f32(#[shape(n)] x: &[f32], #[shape(n)] y: &mut [f32]) -> Result<()> {
        for (y, x) in y.iter_mut().zip(x) {
            *y = 2.0 * x;
        }
        Ok(())
    }
}

/// Private and unused here.
#[kernelpack_guest::kernel]
fn copy_u8(#[shape(n)] x: &[u8], #[shape(n)] y: &mut [u8]) -> kernelpack_guest::Result<()> {
    y.copy_from_slice(x);
    Ok(())
}

/// Fills, with no input.
#[kernelpack_guest::kernel]
fn fill_f32(#[shape(16)] y: &mut [f32], #[param] value: f32) -> kernelpack_guest::Result<()> {
    y.fill(value);
    Ok(())
}

fn main() {
    let mut y = [0.0; 16];
    fill_f32(&mut y, 3.0).unwrap();
    assert_eq!(y, [3.0; 16]);
    let mut z = [0.0; 16];
    family::double_f32(&y, &mut z).unwrap();
    assert_eq!(z, [6.0; 16]);
    assert_eq!(family::double_f32::SPEC.entry_point, "double_forward");
    assert_eq!(fill_f32::SPEC.fallback, "fill_f32_reference");
}
