//! The extents of a tensor, kept inline.

use core::{
    fmt,
    hash::{Hash, Hasher},
};

use crate::DType;

/// The most axes that a tensor may have.
pub const MAX_RANK: usize = 8;

/// The extents of a tensor along each axis, outermost first; rank 0 is a scalar.
///
/// # Example: a row of values, and of blocks of 32
/// ```
/// use kernelpack_abi::{DType, Shape};
///
/// let shape = Shape::new(&[2, 128])?;
/// assert_eq!((shape.rank(), shape.elements(), shape.bytes(DType::F16)), (2, 256, 512));
/// assert_eq!(Shape::new(&[2, 4])?.bytes(DType::Q8_0), 2 * 4 * 34);
/// assert_eq!(shape.to_string(), "2x128");
/// # Ok::<(), kernelpack_abi::ShapeError>(())
/// ```
#[derive(Clone, Copy, Default, Eq)]
pub struct Shape {
    dims: [u32; MAX_RANK],
    rank: u8,
}

impl PartialEq for Shape {
    /// Compares in registers. A derived implementation would compare bytes in memory, and hosts compare the shape of
    /// every tensor at every call.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let differences = self.dims.iter().zip(&other.dims).fold(0, |all, (a, b)| all | (a ^ b));
        (differences == 0) & (self.rank == other.rank)
    }
}

impl Hash for Shape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.dims().hash(state);
    }
}

impl Shape {
    /// Makes a shape with these extents.
    ///
    /// # Errors
    /// There are more than [`MAX_RANK`] axes, or an extent or the number of elements is above `u32::MAX`, which linear
    /// memory could not hold.
    pub const fn new(dims: &[usize]) -> Result<Self, ShapeError> {
        if dims.len() > MAX_RANK {
            return Err(ShapeError::Rank { rank: dims.len() });
        }
        let mut shape = Self { dims: [0; MAX_RANK], rank: dims.len() as u8 };
        let mut elements = 1u64;
        let mut axis = 0;
        while axis < dims.len() {
            if dims[axis] > u32::MAX as usize {
                return Err(ShapeError::TooLarge);
            }
            shape.dims[axis] = dims[axis] as u32;
            // The other extents are checked even if one is zero, so that their product does not overflow in later code.
            if dims[axis] != 0 {
                // Both factors fit 32 bits, so the product fits 64.
                elements *= dims[axis] as u64;
                if elements > u32::MAX as u64 {
                    return Err(ShapeError::TooLarge);
                }
            }
            axis += 1;
        }
        Ok(shape)
    }

    /// Makes a shape from the extents in a tensor table; `None` if [`new`](Self::new) would fail.
    pub(crate) fn from_table(dims: &[u32]) -> Option<Self> {
        let mut wide = [0usize; MAX_RANK];
        let wide = wide.get_mut(..dims.len())?;
        for (to, from) in wide.iter_mut().zip(dims) {
            *to = *from as usize;
        }
        Self::new(wide).ok()
    }

    /// Returns the extents, outermost first.
    pub fn dims(&self) -> &[u32] {
        &self.dims[..usize::from(self.rank).min(MAX_RANK)]
    }

    /// Returns the number of axes.
    pub fn rank(&self) -> usize {
        usize::from(self.rank)
    }

    /// Returns the number of elements: the product of the extents, 1 for a scalar.
    pub fn elements(&self) -> u64 {
        self.dims().iter().map(|&dim| u64::from(dim)).product()
    }

    /// Returns the size in bytes of the elements, if they have this type.
    pub fn bytes(&self, dtype: DType) -> u64 {
        self.elements() * u64::from(dtype.size())
    }

    pub(crate) fn padded(&self) -> [u32; MAX_RANK] {
        self.dims
    }
}

impl fmt::Display for Shape {
    /// Writes the shape as `64x4096`, or as `scalar`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rank == 0 {
            return f.write_str("scalar");
        }
        for (axis, dim) in self.dims().iter().enumerate() {
            write!(f, "{}{dim}", if axis == 0 { "" } else { "x" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dims().fmt(f)
    }
}

/// The reason why extents do not form a valid [`Shape`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeError {
    /// There are more axes than [`MAX_RANK`].
    Rank {
        /// The number of axes given.
        rank: usize,
    },
    /// An extent, or the number of elements, does not fit 32 bits.
    TooLarge,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rank { rank } => write!(f, "a tensor has at most {MAX_RANK} axes, but the shape given has {rank}"),
            Self::TooLarge => write!(f, "a tensor has at most {} elements, but the shape given has more", u32::MAX),
        }
    }
}

impl core::error::Error for ShapeError {}

#[cfg(test)]
mod tests;
