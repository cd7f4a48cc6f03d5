//! Functions with which stubs run the author's function natively.

use kernelpack_abi::{
    DType, Element, Error, Result, Shape, Signature, Status, Symbols, TensorArg, TensorBuf, TensorData, TensorView,
    TensorViewMut,
};

use zerocopy::FromBytes as _;

use crate::frame::disagreement;

/// Returns the symbols of a call, from the shapes of its tensors; absent tensors have `None`.
///
/// # Errors
/// The shapes disagree.
pub fn bind(signature: &Signature<'_>, shapes: &[Option<Shape>]) -> Result<Symbols> {
    Symbols::bind(signature.tensors.iter().zip(shapes).map(|(tensor, shape)| (tensor.dims, *shape)))
        .map_err(|error| disagreement(signature, error))
}

/// Returns the value of a symbol that required tensors determine.
pub fn extent(symbols: &Symbols, symbol: u8) -> usize {
    symbols.value(symbol).unwrap_or_default() as usize
}

/// Allocates a scratch tensor of zeros.
///
/// # Errors
/// Its length has no value for these symbols.
pub fn scratch<T: Element>(signature: &Signature<'_>, row: usize, symbols: &Symbols) -> Result<Vec<T>> {
    let tensor = &signature.tensors[row];
    let len = symbols.len(tensor.len).map_err(|error| {
        Error::new(Status::InvalidInput, format_args!("scratch tensor \"{}\": {error}", tensor.name))
    })?;
    Shape::new(&[len as usize])
        .map(|shape| TensorBuf::zeros_of(shape).into_data())
        .map_err(|error| Error::new(Status::InvalidInput, format_args!("scratch tensor \"{}\": {error}", tensor.name)))
}

/// Allocates an output tensor of zeros.
///
/// # Errors
/// The symbols do not determine its shape.
pub fn allocate<T: Element>(signature: &Signature<'_>, row: usize, symbols: &Symbols) -> Result<TensorBuf<T>> {
    symbols
        .shape(signature.tensors[row].dims)
        .map(TensorBuf::zeros_of)
        .map_err(|(axis, kind)| disagreement(signature, kernelpack_abi::SymbolError { tensor: row, axis, kind }))
}

/// Returns the rows of a call, whose number must be the signature's.
///
/// # Errors
/// There are more or fewer rows.
pub fn rows<'t, 'a, const N: usize>(tensors: &'t mut [TensorArg<'a>]) -> Result<[&'t mut TensorArg<'a>; N]> {
    let given = tensors.len();
    let rows: &mut [TensorArg<'a>; N] = tensors.try_into().map_err(|_| {
        Error::new(Status::InvalidParams, format_args!("the call has {given} tensors, but the kernel has {N}"))
    })?;
    Ok(rows.each_mut())
}

/// Returns a view of an input.
///
/// # Errors
/// The row is not an input, its elements have another type, or its bytes do not fit its shape or are not aligned.
pub fn view<'t, T: Element>(row: &'t mut TensorArg<'_>) -> Result<TensorView<'t, T>> {
    optional_view(row)?.ok_or_else(|| other_role(T::DTYPE))
}

/// Returns a view of an input that may be absent.
///
/// # Errors
/// The errors of [`view`].
pub fn optional_view<'t, T: Element>(row: &'t mut TensorArg<'_>) -> Result<Option<TensorView<'t, T>>> {
    let bytes: &'t [u8] = match &row.data {
        TensorData::Absent => return Ok(None),
        TensorData::In(bytes) => bytes,
        _ => return Err(other_role(T::DTYPE)),
    };
    check_dtype::<T>(row.dtype)?;
    let data = <[T]>::ref_from_bytes(bytes).map_err(|_| not_elements(T::DTYPE, bytes.len()))?;
    TensorView::new(data, &extents(row.shape)).map(Some).map_err(|error| wrong(format_args!("{error}")))
}

/// Returns a view of an output or in-out tensor.
///
/// # Errors
/// The errors of [`view`].
pub fn view_mut<'t, T: Element>(row: &'t mut TensorArg<'_>) -> Result<TensorViewMut<'t, T>> {
    check_dtype::<T>(row.dtype)?;
    let bytes: &'t mut [u8] = match &mut row.data {
        TensorData::Out(bytes) | TensorData::InOut(bytes) => bytes,
        _ => return Err(other_role(T::DTYPE)),
    };
    let len = bytes.len();
    let data = <[T]>::mut_from_bytes(bytes).map_err(|_| not_elements(T::DTYPE, len))?;
    TensorViewMut::new(data, &extents(row.shape)).map_err(|error| wrong(format_args!("{error}")))
}

fn extents(shape: Shape) -> Vec<usize> {
    shape.dims().iter().map(|&extent| extent as usize).collect()
}

fn check_dtype<T: Element>(dtype: DType) -> Result<()> {
    if dtype == T::DTYPE {
        Ok(())
    } else {
        Err(wrong(format_args!("a tensor of {dtype} was passed for one of {}", T::DTYPE)))
    }
}

fn not_elements(dtype: DType, bytes: usize) -> Error {
    wrong(format_args!("{bytes} bytes are not whole and aligned elements of {dtype}"))
}

fn other_role(dtype: DType) -> Error {
    wrong(format_args!("a tensor of {dtype} was passed in another role than the kernel declares"))
}

fn wrong(message: std::fmt::Arguments<'_>) -> Error {
    Error::new(Status::InvalidParams, message)
}
