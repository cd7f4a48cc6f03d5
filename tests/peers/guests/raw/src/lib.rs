//! RMSNorm as plain exports, for hosts that copy by hand or write to the memory directly.

use kernelpack_kernels::rmsnorm_f32;

/// Allocates this many floats, which are never freed.
#[unsafe(no_mangle)]
pub extern "C" fn reserve(floats: usize) -> *mut f32 {
    Box::leak(vec![0.0; floats].into_boxed_slice()).as_mut_ptr()
}

/// Normalizes one row of `dim` floats; returns 0 on success.
///
/// # Safety
/// The addresses come from three calls of [`reserve`], each for at least `dim` floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rmsnorm(x: *const f32, weight: *const f32, y: *mut f32, dim: usize, eps: f32) -> i32 {
    // SAFETY: the caller guarantees that each address points to `dim` floats, each in a leaked box of its own.
    let (x, weight, y) = unsafe {
        (
            std::slice::from_raw_parts(x, dim),
            std::slice::from_raw_parts(weight, dim),
            std::slice::from_raw_parts_mut(y, dim),
        )
    };
    rmsnorm_f32(x, weight, y, eps, dim).is_err().into()
}
