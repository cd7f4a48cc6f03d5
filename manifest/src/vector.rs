//! Health vectors: a call of a kernel with its expected results.
//!
//! Every [`HealthVector`] was checked against the kernel's signature when it was made: its names, types, shapes, sizes
//! and scalars make a valid call. In a file, `in.NAME` is an input or start value and `out.NAME` is an expected result;
//! an in-out tensor has both.

pub(crate) mod entry;
pub(crate) mod fault;
pub(crate) mod limits;
pub(crate) mod mismatch;
mod of_kernel;
pub mod stored;

use std::collections::BTreeMap;

use kernelpack_abi::{
    DType, ParamValue, Role, Shape, Signature, Symbols, TensorArg, TensorData, TensorSpec, params as block,
};
use safetensors::{SafeTensorError, SafeTensors, tensor::TensorView};

use crate::{JsonFault, VectorFault, check_distinct_keys};

/// A tensor with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTensor {
    /// The tensor's name in the kernel's signature.
    pub name: String,
    /// The type of the tensor's elements.
    pub dtype: DType,
    /// The tensor's extents; for block types they count blocks.
    pub shape: Shape,
    /// The tensor's elements, row-major and little-endian.
    pub bytes: Vec<u8>,
}

/// A call of a kernel with its expected results, checked against the kernel's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthVector {
    /// Inputs and start values of in-out tensors, in declaration order.
    inputs: Vec<NamedTensor>,
    /// Outputs and in-out tensors, in declaration order.
    expected: Vec<NamedTensor>,
    scalars: Vec<u8>,
}

const IN: &str = "in.";
const OUT: &str = "out.";

impl HealthVector {
    /// Reads a vector of a kernel with this signature. Scalars that are not in `params` have their defaults.
    ///
    /// # Errors
    /// The bytes are not a safetensors file, or do not make a valid call of the kernel.
    pub fn parse(bytes: &[u8], signature: &Signature<'_>, params: &[(&str, ParamValue)]) -> Result<Self, VectorFault> {
        let malformed = |error: SafeTensorError| VectorFault::NotSafetensors { message: error.to_string() };
        check_header_keys(bytes)?;
        let file = SafeTensors::deserialize(bytes).map_err(malformed)?;
        let (mut inputs, mut expected) = (Vec::new(), Vec::new());
        for (name, view) in file.iter() {
            let (list, found) = if let Some(name) = name.strip_prefix(IN) {
                (&mut inputs, signature.tensors.iter().find(|spec| spec.name == name && reads(spec)))
            } else {
                let plain = name.strip_prefix(OUT);
                (&mut expected, signature.tensors.iter().find(|spec| Some(spec.name) == plain && gives(spec)))
            };
            let spec = found.ok_or_else(|| unknown(name, signature))?;
            list.push(read(name, &view, spec)?);
        }
        Self::new(signature, inputs, expected, params)
    }

    /// Makes a vector from these tensors, which may be in any order. Scalars that are not in `params` have their
    /// defaults.
    ///
    /// # Errors
    /// The tensors and scalars do not make a valid call of a kernel with this signature.
    pub fn new(
        signature: &Signature<'_>,
        inputs: Vec<NamedTensor>,
        expected: Vec<NamedTensor>,
        params: &[(&str, ParamValue)],
    ) -> Result<Self, VectorFault> {
        let scalars = scalars(signature, params)?;
        let inputs = in_order(signature, IN, inputs, reads)?;
        let expected = in_order(signature, OUT, expected, gives)?;
        // Start values and results are checked together, so that both have the same values for all symbols.
        let shape = |list: &[NamedTensor], name: &str| {
            list.iter().find(|tensor| tensor.name == name).map(|tensor| tensor.shape)
        };
        let starts = signature.tensors.iter().map(|spec| (spec.dims, shape(&inputs, spec.name)));
        let results = signature.tensors.iter().map(|spec| (spec.dims, shape(&expected, spec.name)));
        Symbols::bind(starts.chain(results)).map_err(|mut error| {
            error.tensor %= signature.tensors.len().max(1);
            VectorFault::Shapes { message: error.describe(signature).to_string() }
        })?;
        Ok(Self { inputs, expected, scalars })
    }

    /// Returns the vector as a file; equal vectors give equal bytes.
    ///
    /// # Errors
    /// The file format cannot hold the vector.
    pub fn to_bytes(&self) -> Result<Vec<u8>, VectorFault> {
        let inputs = self.inputs.iter().map(|tensor| (IN, tensor));
        let all = inputs.chain(self.expected.iter().map(|tensor| (OUT, tensor)));
        let views = all.map(|(prefix, tensor)| {
            let shape = stored::stored_shape(tensor.dtype, tensor.shape);
            let view = TensorView::new(stored::stored(tensor.dtype), shape, &tensor.bytes)?;
            Ok((format!("{prefix}{}", tensor.name), view))
        });
        views
            .collect::<Result<BTreeMap<_, _>, SafeTensorError>>()
            .and_then(|views| safetensors::serialize(views, None))
            .map_err(|error| VectorFault::NotSafetensors { message: error.to_string() })
    }

    /// Returns the expected results: outputs and in-out tensors, in declaration order.
    pub fn expected(&self) -> &[NamedTensor] {
        &self.expected
    }

    /// Calls `f` with the tensors of the call, in the order of the tensor table, and its scalars.
    ///
    /// Returns what `f` returns, and the outputs and in-out tensors that `f` wrote, in declaration order. `signature`
    /// must be the one that the vector was checked against.
    pub fn lend<R>(
        &self,
        signature: &Signature<'_>,
        f: impl FnOnce(&mut [TensorArg<'_>], &[u8]) -> R,
    ) -> (R, Vec<NamedTensor>) {
        let mut results = self.expected.clone();
        for result in &mut results {
            match find(&self.inputs, &result.name) {
                Some(start) => result.bytes.copy_from_slice(&start.bytes),
                None => result.bytes.fill(0),
            }
        }
        let mut writable = results.iter_mut();
        let mut rows: Vec<TensorArg<'_>> = Vec::with_capacity(signature.tensors.len());
        for spec in signature.tensors {
            let absent = TensorArg { dtype: spec.dtype, shape: Shape::default(), data: TensorData::Absent };
            rows.push(match spec.role {
                Role::Scratch => TensorArg { data: TensorData::Scratch, ..absent },
                Role::In => find(&self.inputs, spec.name).map_or(absent, |tensor| TensorArg {
                    dtype: tensor.dtype,
                    shape: tensor.shape,
                    data: TensorData::In(&tensor.bytes),
                }),
                // There is one result for each of these rows, in the same order; `in_order` has checked that none is
                // missing.
                Role::Out | Role::InOut => {
                    writable.next().map_or(absent, |NamedTensor { dtype, shape, bytes, .. }| {
                        let data =
                            if spec.role == Role::Out { TensorData::Out(bytes) } else { TensorData::InOut(bytes) };
                        TensorArg { dtype: *dtype, shape: *shape, data }
                    })
                }
            });
        }
        let returned = f(&mut rows, &self.scalars);
        drop(rows);
        (returned, results)
    }
}

/// Checks that a file names nothing twice. The library finds all other faults, but silently uses the last of equal
/// keys.
fn check_header_keys(file: &[u8]) -> Result<(), VectorFault> {
    let Some((length, rest)) = file.split_first_chunk() else { return Ok(()) };
    let header = usize::try_from(u64::from_le_bytes(*length)).ok().and_then(|length| rest.get(..length));
    match header.map(check_distinct_keys) {
        Some(Err(fault @ JsonFault::DuplicateKey { .. })) => {
            Err(VectorFault::NotSafetensors { message: fault.to_string() })
        }
        _ => Ok(()),
    }
}

fn reads(spec: &TensorSpec<'_>) -> bool {
    matches!(spec.role, Role::In | Role::InOut)
}

fn gives(spec: &TensorSpec<'_>) -> bool {
    matches!(spec.role, Role::Out | Role::InOut)
}

fn find<'a>(tensors: &'a [NamedTensor], name: &str) -> Option<&'a NamedTensor> {
    tensors.iter().find(|tensor| tensor.name == name)
}

fn read(name: &str, view: &TensorView<'_>, spec: &TensorSpec<'_>) -> Result<NamedTensor, VectorFault> {
    let expected = stored::stored(spec.dtype);
    if view.dtype() != expected {
        return Err(VectorFault::DType {
            tensor: name.to_owned(),
            expected: spec.dtype,
            stored: format!("{expected:?}"),
            actual: format!("{:?}", view.dtype()),
        });
    }
    let shape = stored::kernel_shape(spec.dtype, view.shape())
        .map_err(|message| VectorFault::BadShape { tensor: name.to_owned(), message })?;
    Ok(NamedTensor { name: spec.name.to_owned(), dtype: spec.dtype, shape, bytes: view.data().to_vec() })
}

/// Checks that the tensors are exactly those of the rows that `belongs` selects, and returns them in that order.
fn in_order(
    signature: &Signature<'_>,
    prefix: &str,
    mut tensors: Vec<NamedTensor>,
    belongs: impl Fn(&TensorSpec<'_>) -> bool,
) -> Result<Vec<NamedTensor>, VectorFault> {
    let mut ordered = Vec::with_capacity(tensors.len());
    for spec in signature.tensors.iter().filter(|spec| belongs(spec)) {
        let named = || format!("{prefix}{}", spec.name);
        let Some(at) = tensors.iter().position(|tensor| tensor.name == spec.name) else {
            if spec.optional {
                continue;
            }
            return Err(VectorFault::MissingTensor { tensor: named() });
        };
        let tensor = tensors.swap_remove(at);
        if tensor.dtype != spec.dtype {
            let (stored, actual) = (format!("{:?}", stored::stored(spec.dtype)), tensor.dtype.to_string());
            return Err(VectorFault::DType { tensor: named(), expected: spec.dtype, stored, actual });
        }
        let (expected, actual) = (tensor.shape.bytes(tensor.dtype), tensor.bytes.len() as u64);
        if expected != actual {
            return Err(VectorFault::Size { tensor: named(), expected, actual });
        }
        ordered.push(tensor);
    }
    match tensors.first() {
        None => Ok(ordered),
        Some(surplus) => Err(unknown(&format!("{prefix}{}", surplus.name), signature)),
    }
}

fn unknown(name: &str, signature: &Signature<'_>) -> VectorFault {
    let inputs = signature.tensors.iter().filter(|spec| reads(spec)).map(|spec| format!("{IN}{}", spec.name));
    let outputs = signature.tensors.iter().filter(|spec| gives(spec)).map(|spec| format!("{OUT}{}", spec.name));
    VectorFault::UnknownTensor { tensor: name.to_owned(), known: inputs.chain(outputs).collect() }
}

fn scalars(signature: &Signature<'_>, given: &[(&str, ParamValue)]) -> Result<Vec<u8>, VectorFault> {
    let specs = signature.params;
    if let Some((name, _)) = given.iter().find(|(name, _)| !specs.iter().any(|spec| spec.name == *name)) {
        return Err(VectorFault::unknown_param(name, signature));
    }
    let mut scalars = vec![0; block::scalars_size(specs) as usize];
    for (index, spec) in specs.iter().enumerate() {
        let param = || spec.name.to_owned();
        let value = given.iter().find(|(name, _)| *name == spec.name).map(|(_, value)| *value).or(spec.default);
        let value = value.ok_or_else(|| VectorFault::MissingParam { param: param() })?;
        if !block::write_scalar(&mut scalars, specs, index, value) {
            return Err(VectorFault::ParamType { param: param(), expected: spec.ty });
        }
    }
    Ok(scalars)
}

#[cfg(test)]
mod tests;
