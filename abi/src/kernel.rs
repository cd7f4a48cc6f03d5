//! The traits that tie a typed host stub to the kernel it calls.

use zerocopy::IntoBytes as _;

#[cfg(any(not(target_family = "wasm"), feature = "alloc"))]
use crate::Result;
use crate::{DType, Element, KernelSpec, Shape, Signature, TensorView, TensorViewMut};
/// One pass of a kernel, forward or backward, with the types of its arguments.
///
/// `#[kernel]` implements it; hosts call it. A pass's arguments are borrowed tensors and scalars, and
/// [`lend`](Self::lend) turns them into the rows and bytes that cross the boundary.
pub trait Pass: 'static {
    /// What the pass takes.
    const SIGNATURE: Signature<'static>;

    /// The arguments of one call: a [`TensorView`](crate::TensorView) or [`TensorViewMut`](crate::TensorViewMut) for
    /// every tensor that the caller provides, and every scalar.
    type Args<'a>;

    /// The scalars alone.
    type Params: Copy + Send + Sync + 'static;

    /// The same arguments for a shorter time, so that they can be used again.
    fn reborrow<'a>(args: &'a mut Self::Args<'_>) -> Self::Args<'a>;

    /// Lends the tensors, in the order of the tensor table, and the encoded scalars to `f`.
    fn lend<R>(args: Self::Args<'_>, f: impl FnOnce(&mut [TensorArg<'_>], &[u8]) -> R) -> R;

    /// The same as [`lend`](Self::lend) for tensors that are kept: gives each row, and the encoded scalars.
    fn give<'a>(args: Self::Args<'a>, row: impl FnMut(TensorArg<'a>), scalars: impl FnOnce(&[u8]));

    /// Runs the author's function natively, without a sandbox: the reference implementation.
    ///
    /// # Errors
    /// The shapes disagree, or the author's function says so.
    #[cfg(not(target_family = "wasm"))]
    fn reference(args: Self::Args<'_>) -> Result<()>;

    /// The same on the tensors that [`lend`](Self::lend) lends, for programs that do not know the types.
    ///
    /// Scratch tensors are allocated, whatever stands in their rows.
    ///
    /// # Errors
    /// As [`reference`](Self::reference); or the rows or scalars are not those of the signature, or bytes are not
    /// aligned for their elements.
    #[cfg(not(target_family = "wasm"))]
    fn reference_on(tensors: &mut [TensorArg<'_>], scalars: &[u8]) -> Result<()>;
}

/// A kernel, as its author declared it.
pub trait Kernel: Pass {
    /// The kernel's description, which the pack's manifest must agree with.
    const SPEC: KernelSpec<'static>;

    /// The backward pass, or [`NoBackward`].
    type Backward: Pass;
}

/// A pass whose results a host can allocate, since its inputs determine every shape.
#[cfg(feature = "alloc")]
pub trait Infer: Pass {
    /// What a call takes: the inputs, the start values of in-out tensors, the scalars.
    type Inputs<'a>;

    /// What a call gives: a [`TensorBuf`](crate::TensorBuf) for every output and in-out tensor.
    type Outputs;

    /// Makes room for the results; in-out tensors hold their start values.
    ///
    /// # Errors
    /// The shapes of the inputs disagree, or do not determine a result's.
    fn allocate(inputs: &Self::Inputs<'_>) -> Result<Self::Outputs>;

    /// The arguments of a call that writes to `outputs`.
    fn join<'a, 'b: 'a>(inputs: Self::Inputs<'b>, outputs: &'a mut Self::Outputs) -> Self::Args<'a>;
}

/// The backward pass of a kernel that has none; it cannot be called, since its arguments cannot exist.
#[derive(Clone, Copy, Debug)]
pub enum NoBackward {}

impl Pass for NoBackward {
    const SIGNATURE: Signature<'static> = Signature { symbols: &[], tensors: &[], params: &[] };
    type Args<'a> = Self;
    type Params = ();

    fn reborrow(args: &mut Self) -> Self {
        match *args {}
    }

    fn lend<R>(args: Self, _: impl FnOnce(&mut [TensorArg<'_>], &[u8]) -> R) -> R {
        match args {}
    }

    fn give<'a>(args: Self, _: impl FnMut(TensorArg<'a>), _: impl FnOnce(&[u8])) {
        match args {}
    }

    #[cfg(not(target_family = "wasm"))]
    fn reference(args: Self) -> Result<()> {
        match args {}
    }

    #[cfg(not(target_family = "wasm"))]
    fn reference_on(_: &mut [TensorArg<'_>], _: &[u8]) -> Result<()> {
        Err(crate::Error::new(crate::Status::NotImplemented, format_args!("the kernel has no backward pass")))
    }
}

/// A tensor of a call, as a host handles it: bytes with a type and a shape.
#[derive(Debug)]
pub struct TensorArg<'a> {
    /// The type of its elements.
    pub dtype: DType,
    /// Its extents; unspecified for an absent or scratch tensor.
    pub shape: Shape,
    /// Its bytes.
    pub data: TensorData<'a>,
}

impl<'a> TensorArg<'a> {
    /// An input.
    pub fn input<T: Element>(view: TensorView<'a, T>) -> Self {
        Self { dtype: T::DTYPE, shape: view.shape(), data: TensorData::In(view.data().as_bytes()) }
    }

    /// An input that the call may leave out.
    pub fn optional<T: Element>(view: Option<TensorView<'a, T>>) -> Self {
        match view {
            Some(view) => Self::input(view),
            None => Self { dtype: T::DTYPE, shape: Shape::default(), data: TensorData::Absent },
        }
    }

    /// An output.
    pub fn output<T: Element>(view: TensorViewMut<'a, T>) -> Self {
        let shape = view.shape();
        Self { dtype: T::DTYPE, shape, data: TensorData::Out(view.into_data().as_mut_bytes()) }
    }

    /// An in-out tensor.
    pub fn inout<T: Element>(view: TensorViewMut<'a, T>) -> Self {
        let shape = view.shape();
        Self { dtype: T::DTYPE, shape, data: TensorData::InOut(view.into_data().as_mut_bytes()) }
    }

    /// Working space.
    pub fn scratch<T: Element>() -> Self {
        Self { dtype: T::DTYPE, shape: Shape::default(), data: TensorData::Scratch }
    }
}

/// The bytes of a [`TensorArg`], and which way they go.
#[derive(Debug)]
pub enum TensorData<'a> {
    /// An optional input that the call leaves out.
    Absent,
    /// An input.
    In(&'a [u8]),
    /// An output.
    Out(&'a mut [u8]),
    /// An in-out tensor.
    InOut(&'a mut [u8]),
    /// Working space, which the host provides.
    Scratch,
}
