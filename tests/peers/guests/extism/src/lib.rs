//! RMSNorm as an Extism plug-in: bytes in, bytes out.
//!
//! The export is written by hand, since `#[plugin_fn]` would copy its argument once more; the kit's documentation
//! describes this way.

use extism_pdk::{input_bytes, output};
use kernelpack_kernels::rmsnorm_f32;
use zerocopy::{FromBytes, IntoBytes};

/// Normalizes one row: the input is x, as many weights, and eps; the output is y. Returns 0 on success.
#[unsafe(no_mangle)]
pub extern "C" fn rmsnorm() -> i32 {
    let input = input_bytes();
    // The kit reads the input into a vector, which the allocator aligns to 8 bytes.
    let Ok([rows @ .., eps]) = <[f32]>::ref_from_bytes(&input) else { return 1 };
    let (x, weight) = rows.split_at(rows.len() / 2);
    let mut y = vec![0.0; x.len()];
    if rmsnorm_f32(x, weight, &mut y, *eps, x.len()).is_err() {
        return 2;
    }
    if output(y.as_bytes()).is_err() { 3 } else { 0 }
}
