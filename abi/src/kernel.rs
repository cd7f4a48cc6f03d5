//! The traits that connect a typed host stub to the kernel that it calls.

use zerocopy::IntoBytes as _;

#[cfg(any(not(target_family = "wasm"), feature = "alloc"))]
use crate::Result;
use crate::{DType, Element, KernelSpec, Shape, Signature, TensorView, TensorViewMut};

/// One pass of a kernel, forward or backward, with the types of its arguments.
///
/// `#[kernel]` implements this trait, and hosts call it. A pass's arguments are borrowed tensors and scalars, and
/// [`lend`](Self::lend) converts them to the rows and bytes that cross the boundary.
pub trait Pass: 'static {
    /// The tensors and scalars that the pass takes.
    const SIGNATURE: Signature<'static>;

    /// The arguments of one call: a [`TensorView`](crate::TensorView) or [`TensorViewMut`](crate::TensorViewMut) for
    /// every tensor that the caller provides, and every scalar.
    type Args<'a>;

    /// The scalars of one call, without its tensors.
    type Params: Copy + Send + Sync + 'static;

    /// Reborrows the arguments for a shorter lifetime, so that they can be used again.
    fn reborrow<'a>(args: &'a mut Self::Args<'_>) -> Self::Args<'a>;

    /// Calls `f` with the tensors, in the order of the tensor table, and the encoded scalars.
    fn lend<R>(args: Self::Args<'_>, f: impl FnOnce(&mut [TensorArg<'_>], &[u8]) -> R) -> R;

    /// Like [`lend`](Self::lend), but passes each row to `row` with its full lifetime, for callers that keep the
    /// tensors.
    fn give<'a>(args: Self::Args<'a>, row: impl FnMut(TensorArg<'a>), scalars: impl FnOnce(&[u8]));

    /// Runs the author's function natively, without a sandbox, as the reference implementation.
    ///
    /// # Errors
    /// The shapes disagree, or the author's function fails.
    #[cfg(not(target_family = "wasm"))]
    fn reference(args: Self::Args<'_>) -> Result<()>;

    /// Like [`reference`](Self::reference), but takes rows and encoded scalars, for programs that do not know the
    /// types.
    ///
    /// Scratch tensors are allocated, whatever their rows contain.
    ///
    /// # Errors
    /// The errors of [`reference`](Self::reference), or the rows or scalars do not match the signature, or bytes are
    /// not aligned for their elements.
    #[cfg(not(target_family = "wasm"))]
    fn reference_on(tensors: &mut [TensorArg<'_>], scalars: &[u8]) -> Result<()>;
}

/// A kernel as its author declared it.
pub trait Kernel: Pass {
    /// The kernel's spec, which the pack's manifest must match.
    const SPEC: KernelSpec<'static>;

    /// The backward pass, or [`NoBackward`].
    type Backward: Pass;
}

/// A pass whose results a host can allocate, because the inputs determine every shape.
#[cfg(feature = "alloc")]
pub trait Infer: Pass {
    /// The arguments of a call: inputs, start values of in-out tensors, and scalars.
    type Inputs<'a>;

    /// The results of a call: a [`TensorBuf`](crate::TensorBuf) for every output and in-out tensor.
    type Outputs;

    /// Allocates the results; in-out tensors contain their start values.
    ///
    /// # Errors
    /// The shapes of the inputs disagree, or do not determine the shape of a result.
    fn allocate(inputs: &Self::Inputs<'_>) -> Result<Self::Outputs>;

    /// Combines the inputs and `outputs` into the arguments of a call.
    fn join<'a, 'b: 'a>(inputs: Self::Inputs<'b>, outputs: &'a mut Self::Outputs) -> Self::Args<'a>;
}

/// The backward pass of a kernel that has none. Its arguments cannot exist, so it cannot be called.
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

/// A tensor of a call, as hosts handle it: bytes with a type and a shape.
#[derive(Debug)]
pub struct TensorArg<'a> {
    /// The type of the tensor's elements.
    pub dtype: DType,
    /// The tensor's shape; unspecified for an absent or scratch tensor.
    pub shape: Shape,
    /// The tensor's bytes.
    pub data: TensorData<'a>,
}

impl<'a> TensorArg<'a> {
    /// Makes an input.
    pub fn input<T: Element>(view: TensorView<'a, T>) -> Self {
        Self { dtype: T::DTYPE, shape: view.shape(), data: TensorData::In(view.data().as_bytes()) }
    }

    /// Makes an optional input, which is absent if `view` is `None`.
    pub fn optional<T: Element>(view: Option<TensorView<'a, T>>) -> Self {
        match view {
            Some(view) => Self::input(view),
            None => Self { dtype: T::DTYPE, shape: Shape::default(), data: TensorData::Absent },
        }
    }

    /// Makes an output.
    pub fn output<T: Element>(view: TensorViewMut<'a, T>) -> Self {
        let shape = view.shape();
        Self { dtype: T::DTYPE, shape, data: TensorData::Out(view.into_data().as_mut_bytes()) }
    }

    /// Makes an in-out tensor.
    pub fn inout<T: Element>(view: TensorViewMut<'a, T>) -> Self {
        let shape = view.shape();
        Self { dtype: T::DTYPE, shape, data: TensorData::InOut(view.into_data().as_mut_bytes()) }
    }

    /// Makes a scratch tensor.
    pub fn scratch<T: Element>() -> Self {
        Self { dtype: T::DTYPE, shape: Shape::default(), data: TensorData::Scratch }
    }
}

/// The bytes of a [`TensorArg`], and whether the kernel reads or writes them.
#[derive(Debug)]
pub enum TensorData<'a> {
    /// An optional input that the call omits.
    Absent,
    /// An input.
    In(&'a [u8]),
    /// An output.
    Out(&'a mut [u8]),
    /// An in-out tensor.
    InOut(&'a mut [u8]),
    /// A scratch tensor, which the host provides.
    Scratch,
}
