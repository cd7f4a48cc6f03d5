//! What a stub needs to run the author's function natively.

use kernelpack_abi::{Element, Error, Result, Shape, Signature, Status, Symbols, TensorBuf};

use crate::frame::disagreement;

/// The symbols of a call, from the shapes of its tensors; `None` for those it has not.
///
/// # Errors
/// The shapes disagree.
pub fn bind(signature: &Signature<'_>, shapes: &[Option<Shape>]) -> Result<Symbols> {
    Symbols::bind(signature.tensors.iter().zip(shapes).map(|(tensor, shape)| (tensor.dims, *shape)))
        .map_err(|error| disagreement(signature, error))
}

/// The value of a symbol that required tensors determine.
pub fn extent(symbols: &Symbols, symbol: u8) -> usize {
    symbols.value(symbol).unwrap_or_default() as usize
}

/// A scratch tensor, zeroed.
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

/// An output tensor, zeroed.
///
/// # Errors
/// The symbols do not determine its shape.
pub fn allocate<T: Element>(signature: &Signature<'_>, row: usize, symbols: &Symbols) -> Result<TensorBuf<T>> {
    symbols
        .shape(signature.tensors[row].dims)
        .map(TensorBuf::zeros_of)
        .map_err(|(axis, kind)| disagreement(signature, kernelpack_abi::SymbolError { tensor: row, axis, kind }))
}
