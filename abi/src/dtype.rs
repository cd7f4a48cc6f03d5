//! Data types of tensor elements, and the Rust types that correspond to them.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{BlockQ4_0, BlockQ8_0};

/// The type of one element of a tensor.
///
/// The block types are GGML's: one element is a block of 32 quantized values with their scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum DType {
    /// IEEE 754 binary32.
    F32 = 1,
    /// IEEE 754 binary16.
    F16 = 2,
    /// Two's complement 8-bit integer.
    I8 = 3,
    /// Unsigned 8-bit integer.
    U8 = 4,
    /// Two's complement 32-bit integer.
    I32 = 5,
    /// Unsigned 32-bit integer.
    U32 = 6,
    /// GGML `Q8_0`: [`BlockQ8_0`].
    Q8_0 = 7,
    /// GGML `Q4_0`: [`BlockQ4_0`].
    Q4_0 = 8,
}

impl DType {
    /// Every type, in the order of its codes.
    pub const ALL: [Self; 8] = [Self::F32, Self::F16, Self::I8, Self::U8, Self::I32, Self::U32, Self::Q8_0, Self::Q4_0];

    /// Returns the type with this code.
    pub const fn from_code(code: u8) -> Option<Self> {
        if code == 0 || code as usize > Self::ALL.len() { None } else { Some(Self::ALL[code as usize - 1]) }
    }

    /// Returns the type with this name, as [`name`](Self::name) gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Returns the code that crosses the boundary.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the name in manifests, such as `f32` or `q8_0`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::I32 => "i32",
            Self::U32 => "u32",
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
        }
    }

    /// Returns the size of one element in bytes.
    pub const fn size(self) -> u32 {
        match self {
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 => 2,
            Self::I8 | Self::U8 => 1,
            Self::Q8_0 => 34,
            Self::Q4_0 => 18,
        }
    }

    /// Returns the number of values in one element: 32 for the block types, otherwise 1.
    pub const fn values(self) -> u32 {
        match self {
            Self::Q8_0 | Self::Q4_0 => 32,
            _ => 1,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that may be the element of a tensor.
///
/// Every bit pattern is a valid value and there is no padding, so slices of elements and slices of bytes can be
/// converted into each other safely. The supertraits guarantee this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the element of a tensor",
    label = "not an element type",
    note = "use f32, half::f16, i8, u8, i32, u32, BlockQ8_0 or BlockQ4_0"
)]
pub trait Element:
    sealed::Sealed + FromBytes + IntoBytes + Immutable + KnownLayout + Copy + Send + Sync + 'static
{
    /// The data type that corresponds to this Rust type.
    const DTYPE: DType;
}

macro_rules! elements {
    ($($rust:ty => $dtype:ident),* $(,)?) => {$(
        impl sealed::Sealed for $rust {}
        impl Element for $rust {
            const DTYPE: DType = DType::$dtype;
        }
        const _: () = {
            assert!(size_of::<$rust>() == DType::$dtype.size() as usize);
            assert!(align_of::<$rust>() <= crate::TENSOR_ALIGN as usize);
        };
    )*};
}

elements! {
    f32 => F32,
    half::f16 => F16,
    i8 => I8,
    u8 => U8,
    i32 => I32,
    u32 => U32,
    BlockQ8_0 => Q8_0,
    BlockQ4_0 => Q4_0,
}

#[cfg(test)]
mod tests;
