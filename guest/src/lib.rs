//! The API for kernel authors: [`kernel`], the types in signatures, and [`ensure!`] to refuse bad arguments.
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
//! See [`kernel`] for what goes into the signature and the attribute.
//!
//! # Features and targets
//! - `std` (on by default): the crate uses std, and panics are reported through std's hook. A crate that is `no_std` in
//!   WebAssembly depends on this one with `default-features = false`; then this crate provides the panic handler, and
//!   the module is smaller. Native builds, for `cargo test`, are the same either way.
//! - A kernel crate can say `#![deny(unsafe_code)]` but not `#![forbid(unsafe_code)]`: naming an export is an unsafe
//!   attribute, which the macro allows for the exports alone.
//! - A kernel written in C includes `kernelpack.h` from this crate's folder `include`.
#![cfg_attr(all(target_family = "wasm", not(feature = "std")), no_std)]

#[cfg(target_family = "wasm")]
mod entry;
mod float;
mod frame;
pub mod math;
#[cfg(target_family = "wasm")]
mod message;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod panic;
#[cfg(not(target_family = "wasm"))]
mod reference;
pub mod simd;

pub use float::Float;
pub use half::f16;
pub use kernelpack_abi as abi;
pub use kernelpack_abi::{BlockQ4_0, BlockQ8_0, Error, Result, Status};

/// Turns a function over slices into a kernel.
///
/// The function stays unchanged. Next to it, the macro adds a module of the same name with `SPEC` (the kernel's
/// description), `Kernel` (names the kernel where a type is needed), `Args`, `Params`, and for kernels with inputs
/// `Inputs` and `Outputs`. In a WebAssembly build the module also contains the exports and the custom section that the
/// packer reads.
///
/// The function is an item of a module (not a method, and not inside another function, where its module could not see
/// it), has a name of `a-z`, `0-9` and `_`, and returns [`Result<()>`](Result).
///
/// # Parameters
/// | written | is |
/// |---|---|
/// | `#[shape(rows, dim)] x: &[T]` | an input |
/// | `#[shape(rows, dim)] x: Option<&[T]>` | an input that callers may leave out |
/// | `#[shape(rows, dim)] y: &mut [T]` | an output, which the function writes completely; initially unspecified |
/// | `#[inout] #[shape(rows, dim)] y: &mut [T]` | a tensor that is read and written |
/// | `#[scratch(len = rows * 2)] tmp: &mut [T]` | working space that the host provides, with unspecified content |
/// | `#[param] eps: f32` | a scalar of f32, u32, i32 or bool |
/// | `#[param(default = 1e-5)] eps: f32` | one with a default: a literal, or a constant expression of that type |
/// | `dim: usize` | the value of the shape symbol `dim` |
///
/// `T` is f32, [`struct@f16`], i8, u8, i32, u32 or one of GGML's blocks, [`BlockQ8_0`] and [`BlockQ4_0`], or a type
/// alias of these. A call has at most 16 tensors, 16 symbols and 32 scalars.
///
/// When the function runs, every slice has the length that its shape gives, and writable slices overlap nothing.
///
/// # Shapes
/// `#[shape(...)]` lists the extents, outermost first, at most 8. An extent is
/// - a symbol, `dim`: the same number wherever it appears;
/// - a constant, `32`;
/// - `dim / 32`: the symbol must then be a multiple of 32, or the call is refused;
/// - `heads * 2`: the constant comes after the symbol.
///
/// `#[shape()]` is a scalar tensor of one element. For block types an extent counts blocks: a row of `dim` values in
/// Q8_0 is `dim / 32`. Each symbol must be used by a required tensor, so that every call determines it. The length of
/// scratch is arithmetic with `+ - * /` and parentheses over symbols and constants, in 32 bits; a call for which it
/// overflows, goes below zero or divides by zero is refused.
///
/// # Arguments
/// All arguments are optional.
/// - `category = "normalization"`: what the kernel is for; by default, the family.
/// - `name = "..."`: a name for people; by default, that of the function. The first paragraph of the function's
///   documentation becomes the description.
/// - `family = "rope"`: the folder of the module in a pack; by default, the function's name up to the first `_`.
/// - `entry_point = "rope_forward"`: the alias of `kernel_forward`; by default, the family with `_forward`.
/// - `fallback = "..."`: the name of the reference implementation; by default, the function's name with `_reference`;
///   `""` for none.
/// - `max_memory_pages` (by default 16384), `max_epoch_ticks` (1000 ticks of 10 ms), `max_table_elements` (1024),
///   `max_stack_bytes` (524288; a power of two): [limits](abi::ResourceLimits) of an instance.
/// - `max_instances` (by default 64): how many instances a host may have at once, which is also how many calls may run
///   at once.
/// - `init = f`, `cleanup = g`: functions `fn(&Params) -> Result<()>`, with the `Params` of the kernel's module, and
///   `fn() -> Result<()>`, called when an instance is created and before it is dropped. With `init`, every scalar needs
///   a default, since an instance is created before any call.
/// - `backward = h`: a function with [`#[backward]`](macro@backward).
/// - `split = rows`, or `split = [batch, rows]`: shape symbols over which a host may split one call into several, each
///   over a range of the axis, to use several cores. Name a symbol only if the function computes each index of its axis
///   independently and without using the index: a call over rows 8 to 15 must give the same as rows 8 to 15 of a larger
///   call. (So the sequence axis of a positional encoding does not qualify.) Wherever the symbol appears, it must be
///   the outermost extent, by itself rather than as `rows / 2`, and every output must have it.
/// - `crate = path`: where `kernelpack_guest` is, for crates that rename or re-export it.
///
/// # Errors and panics
/// The host sees the status of a returned [`Error`] and its message of up to 256 bytes:
///
/// | status | code | for |
/// |---|---|---|
/// | [`InvalidInput`](Status::InvalidInput) | 1 | an input's shape or value |
/// | [`InvalidOutput`](Status::InvalidOutput) | 2 | an output's shape |
/// | [`InvalidParams`](Status::InvalidParams) | 3 | a scalar |
/// | [`OutOfMemory`](Status::OutOfMemory) | 4 | an allocation that failed |
/// | [`NotImplemented`](Status::NotImplemented) | 5 | a combination that the kernel does not support |
/// | [`InternalError`](Status::InternalError) | 6 | anything else |
///
/// [`ensure!`] and [`bail!`] return errors. A panic leaves its message and location for the host, and traps. After an
/// error or a trap, the content of the outputs is unspecified.
pub use kernelpack_macros::kernel;

/// Turns a function over slices into the backward pass of the kernel that names it with `backward = ...`.
///
/// Its parameters are declared like those of a kernel. Next to it, the macro adds a module of the same name with
/// `SIGNATURE`, `Backward`, `Args` and `Params`.
pub use kernelpack_macros::backward;

/// Returns an [`Error`] with a [`Status`] and a formatted message.
///
/// # Example: refusing a parameter
/// ```
/// use kernelpack_guest::{Result, bail};
///
/// fn check(eps: f32) -> Result<()> {
///     if eps < 0.0 {
///         bail!(InvalidParams, "eps must not be negative, but is {eps}");
///     }
///     Ok(())
/// }
/// assert_eq!(check(-1.0).unwrap_err().to_string(), "INVALID_PARAMS: eps must not be negative, but is -1");
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
///     ensure!(dim % 2 == 0, InvalidInput, "dim must be even, but is {dim}");
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

/// Only for the code of `#[kernel]` and the packer's programs.
#[doc(hidden)]
pub mod __private {
    #[cfg(target_family = "wasm")]
    pub use crate::entry::{batch, cleanup, info, init, pass};
    pub use crate::frame::{Fault, Frame, LinearMemory, Memo, Scalars, Signed};
    #[cfg(not(target_family = "wasm"))]
    pub use crate::native::{allocate, bind, extent, optional_view, rows, scratch, view, view_mut};
    #[cfg(not(target_family = "wasm"))]
    pub use crate::reference::main as reference_main;
    #[cfg(not(target_family = "wasm"))]
    pub use inventory;

    /// The element types, each with itself as `It`. Other types have no `It`, so rustc reports nothing else about them.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be the element of a tensor",
        label = "not an element type",
        note = "use f32, half::f16, i8, u8, i32, u32, BlockQ8_0 or BlockQ4_0"
    )]
    pub trait IsElement {
        /// The type.
        type It: kernelpack_abi::Element;
    }

    macro_rules! elements {
        ($($element:ty),*) => {$(impl IsElement for $element { type It = $element; })*};
    }
    elements!(f32, half::f16, i8, u8, i32, u32, kernelpack_abi::BlockQ8_0, kernelpack_abi::BlockQ4_0);
}
