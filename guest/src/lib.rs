//! What a kernel author uses: [`kernel`], the types in its signatures, and [`ensure!`] to refuse bad arguments.
//!
//! # Example: a kernel
//! ```
//! # mod doc {
//! use kernelpack_guest::{Result, kernel};
//!
//! /// Multiplies every element by a factor.
//! #[kernel(category = "arithmetic")]
//! pub fn scale_f32(
//!     #[shape(n)] x: &[f32],
//!     #[shape(n)] y: &mut [f32],
//!     #[param(default = 2.0)] factor: f32,
//! ) -> Result<()> {
//!     for (y, x) in y.iter_mut().zip(x) {
//!         *y = x * factor;
//!     }
//!     Ok(())
//! }
//! # }
//! # fn main() {
//! # use doc::scale_f32;
//! // It is still an ordinary function ...
//! let mut y = [0.0; 2];
//! scale_f32(&[1.0, 2.0], &mut y, 3.0).unwrap();
//! assert_eq!(y, [3.0, 6.0]);
//! // ... and the module of the same name describes it to hosts.
//! assert_eq!(scale_f32::SPEC.entry_point, "scale_forward");
//! # }
//! ```
//!
//! The function's parameters are
//! - tensors: `&[T]` for an input, `&mut [T]` for an output, `#[inout]` before one that is read and written,
//!   `Option<&[T]>` for an input that callers may leave out. `#[shape(rows, dim)]` gives the extents, outermost first:
//!   symbols, constants, `sym / n` or `sym * n`. Elements are f32, [`f16`], i8, u8, i32, u32, or GGML's blocks
//!   [`BlockQ8_0`] and [`BlockQ4_0`];
//! - `#[scratch(len = rows * 2)] tmp: &mut [T]`: working space that the host provides, with unspecified content;
//! - scalars of f32, u32, i32 or bool, marked `#[param]` or `#[param(default = ...)]`;
//! - bare `usize` named after a shape symbol, filled in from the shapes.
//!
//! By the time the function runs, every slice has the length that its shape says and outputs overlap nothing.
#![cfg_attr(all(target_family = "wasm", not(feature = "std")), no_std)]

#[cfg(target_family = "wasm")]
mod entry;
mod frame;
pub mod math;
#[cfg(target_family = "wasm")]
mod message;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod panic;

pub use half::f16;
pub use kernelpack_abi as abi;
pub use kernelpack_abi::{BlockQ4_0, BlockQ8_0, Error, Result, Status};

/// Turns a function over slices into a kernel.
///
/// The function stays as it is. Beside it appears a module of the same name with `SPEC` (the kernel's description),
/// `Kernel` (names the kernel where a type is needed), `Args`, `Params`, and for kernels with inputs `Inputs` and
/// `Outputs`. In a WebAssembly build the module also holds the exports and the custom section that the packer reads.
///
/// # Arguments
/// All are optional.
/// - `category = "normalization"`: what the kernel is for; the family unless given.
/// - `name = "..."`: a name for people; the function's unless given.
/// - `family = "rope"`: the folder of the module in a pack; the function's name up to the first `_` unless given.
/// - `entry_point = "rope_forward"`: the alias of `kernel_forward`; the family and `_forward` unless given.
/// - `fallback = "..."`: the name of the reference implementation; the function's name and `_reference` unless given,
///   `""` for none.
/// - `max_memory_pages`, `max_epoch_ticks`, `max_table_elements`: [limits](abi::ResourceLimits) of an instance.
/// - `init = f`, `cleanup = g`: functions `f(&Params) -> Result<()>` and `g() -> Result<()>`, called when an instance
///   is born and before it is dropped.
/// - `backward = h`: a function with [`#[backward]`](macro@backward).
/// - `crate = path`: where `kernelpack_guest` is, for crates that rename it.
pub use kernelpack_macros::kernel;

/// Turns a function over slices into the backward pass of the kernel that names it with `backward = ...`.
///
/// Its parameters are declared as those of a kernel. Beside it appears a module of the same name with `SIGNATURE`,
/// `Backward`, `Args` and `Params`.
pub use kernelpack_macros::backward;

/// Returns an [`Error`] with a [`Status`] and a formatted message.
///
/// # Example: refusing a parameter
/// ```
/// use kernelpack_guest::{Result, bail};
///
/// fn check(eps: f32) -> Result<()> {
///     if eps < 0.0 {
///         bail!(InvalidParams, "eps must not be negative, is {eps}");
///     }
///     Ok(())
/// }
/// assert_eq!(check(-1.0).unwrap_err().to_string(), "INVALID_PARAMS: eps must not be negative, is -1");
/// ```
#[macro_export]
macro_rules! bail {
    ($status:ident, $($message:tt)+) => {
        return ::core::result::Result::Err($crate::Error::new(
            $crate::Status::$status,
            ::core::format_args!($($message)+),
        ))
    };
}

/// Returns an [`Error`] with a [`Status`] and a formatted message unless a condition holds.
///
/// # Example: refusing an extent
/// ```
/// use kernelpack_guest::{Result, ensure};
///
/// fn check(dim: usize) -> Result<()> {
///     ensure!(dim % 2 == 0, InvalidInput, "dim must be even, is {dim}");
///     Ok(())
/// }
/// assert!(check(4).is_ok() && check(5).is_err());
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $status:ident, $($message:tt)+) => {
        if !$condition {
            $crate::bail!($status, $($message)+);
        }
    };
}

/// What the code that `#[kernel]` emits calls; not for use by hand.
#[doc(hidden)]
pub mod __private {
    #[cfg(target_family = "wasm")]
    pub use crate::entry::{cleanup, info, init, pass};
    pub use crate::frame::{Frame, LinearMemory, Scalars};
    #[cfg(not(target_family = "wasm"))]
    pub use crate::native::{allocate, bind, extent, scratch};
}
