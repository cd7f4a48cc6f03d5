//! The representation of a kernel's element types in safetensors files.
//!
//! Plain types have direct counterparts, and values are little-endian on both sides. The format has no blocks, so a
//! tensor of blocks is stored as `U8`, with a last axis that counts bytes: `q8_0` with the shape `[rows, blocks]` is
//! stored as `U8` with the shape `[rows, blocks * 34]`.

use kernelpack_abi::{DType, Shape};
use safetensors::Dtype;

/// Returns the type as which a file stores elements of this type.
pub fn stored(dtype: DType) -> Dtype {
    match dtype {
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::I8 => Dtype::I8,
        DType::U8 | DType::Q8_0 | DType::Q4_0 => Dtype::U8,
        DType::I32 => Dtype::I32,
        DType::U32 => Dtype::U32,
    }
}

/// Returns the shape with which a file stores a tensor of this type and shape.
pub fn stored_shape(dtype: DType, shape: Shape) -> Vec<usize> {
    let mut dims: Vec<usize> = shape.dims().iter().map(|&dim| dim as usize).collect();
    if is_block(dtype) {
        match dims.last_mut() {
            Some(last) => *last *= dtype.size() as usize,
            None => dims.push(dtype.size() as usize),
        }
    }
    dims
}

/// Converts the shape of a stored tensor to the shape that the kernel sees.
///
/// # Errors
/// The tensor does not consist of whole blocks, or is too large for a kernel.
pub fn kernel_shape(dtype: DType, stored: &[usize]) -> Result<Shape, String> {
    let mut dims = stored.to_vec();
    if is_block(dtype) {
        let size = dtype.size() as usize;
        match dims.last_mut() {
            Some(last) if *last % size == 0 => *last /= size,
            last => {
                let last = last.map_or_else(|| "missing".to_owned(), |last| last.to_string());
                return Err(format!(
                    "a block of {dtype} has {size} bytes, so the last axis must be a multiple of that, but it is {last}"
                ));
            }
        }
    }
    Shape::new(&dims).map_err(|error| error.to_string())
}

fn is_block(dtype: DType) -> bool {
    dtype.values() > 1
}

#[cfg(test)]
mod tests;
