//! Compares a kernel's results with those that a health vector expects.

use std::fmt;

use half::f16;
use kernelpack_abi::DType;

use crate::NamedTensor;

/// The first element that differs from the expected one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("element {index} of {tensor:?} is {actual}, expected {expected}{}", bound(.expected, *.allowed, *.tolerance))]
pub struct Mismatch {
    /// The tensor's name.
    pub tensor: String,
    /// The element's row-major index, from 0.
    pub index: usize,
    /// The expected value.
    pub expected: Value,
    /// The actual value.
    pub actual: Value,
    /// How far from the expected value the element may be; 0 means bit for bit.
    pub allowed: f64,
    /// The tolerance from which `allowed` was computed; `None` for integers, blocks and non-finite values, to which no
    /// tolerance applies.
    pub tolerance: Option<f64>,
}

fn bound(expected: &Value, allowed: f64, tolerance: Option<f64>) -> String {
    match (expected, tolerance) {
        // Any NaN would have been accepted.
        (Value::Float(expected), _) if expected.is_nan() => String::new(),
        (_, None) => " bit for bit".to_owned(),
        // Zero of either sign is accepted.
        (_, Some(_)) if allowed == 0.0 => {
            " exactly, since the tolerance is relative and the expected values are all zero".to_owned()
        }
        (_, Some(_)) => format!(" within {allowed:e}"),
    }
}

/// The value of an element, for messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An f32, or an f16 widened.
    Float(f32),
    /// An integer.
    Integer(i64),
    /// The bytes of a block.
    Block(Vec<u8>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Writes the shortest form that reads back as the same value, with the sign of zero.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Integer(value) => value.fmt(f),
            Self::Block(bytes) => {
                f.write_str("the block ")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// Compares results with the expected ones, tensor by tensor.
///
/// With a tolerance of 0, floats must be equal bit for bit, except that all NaNs are equal. Otherwise, a float may
/// differ from the expected one by tolerance · max(|expected|, rms), where rms is the root mean square of the tensor's
/// finite expected values, so that elements that are small because of cancellation are measured against their
/// neighbours. Non-finite values must be equal. Integers and blocks must always be equal bit for bit.
///
/// # Errors
/// The first element that differs. A tensor with another name, type or shape, which a call of the vector's kernel never
/// returns, is treated as if its first element were missing.
pub fn compare(expected: &[NamedTensor], actual: &[NamedTensor], tolerance: f64) -> Result<(), Mismatch> {
    for (at, expected) in expected.iter().enumerate() {
        let same = |actual: &&NamedTensor| {
            (&actual.name, actual.dtype, actual.bytes.len()) == (&expected.name, expected.dtype, expected.bytes.len())
        };
        let actual = actual.get(at).filter(same).map_or(&[][..], |actual| &actual.bytes);
        compare_tensor(expected, actual, tolerance)?;
    }
    Ok(())
}

fn compare_tensor(expected: &NamedTensor, actual: &[u8], tolerance: f64) -> Result<(), Mismatch> {
    let dtype = expected.dtype;
    let size = dtype.size() as usize;
    let elements = || expected.bytes.chunks_exact(size);
    let rms = rms(elements().filter_map(|element| float(dtype, element)));
    for (index, wanted) in elements().enumerate() {
        let found = actual.get(index * size..(index + 1) * size).unwrap_or_default();
        let finite = float(dtype, wanted).filter(|wanted| wanted.is_finite());
        let allowed = finite.map_or(0.0, |wanted| tolerance * f64::from(wanted).abs().max(rms));
        if !agree(dtype, wanted, found, Some(allowed).filter(|_| tolerance > 0.0)) {
            return Err(Mismatch {
                tensor: expected.name.clone(),
                index,
                expected: value(dtype, wanted),
                actual: value(dtype, found),
                allowed,
                tolerance: finite.and(Some(tolerance).filter(|tolerance| *tolerance > 0.0)),
            });
        }
    }
    Ok(())
}

/// Returns whether an element is close enough to the expected one; with `None` for `allowed`, it must be equal bit for
/// bit.
fn agree(dtype: DType, expected: &[u8], actual: &[u8], allowed: Option<f64>) -> bool {
    if expected == actual {
        return true;
    }
    match (float(dtype, expected), float(dtype, actual), allowed) {
        (Some(expected), Some(actual), _) if expected.is_nan() => actual.is_nan(),
        // This is false if either is infinite: equal infinities have the same bits and were accepted above.
        (Some(expected), Some(actual), Some(allowed)) => (f64::from(actual) - f64::from(expected)).abs() <= allowed,
        _ => false,
    }
}

/// Returns the root mean square of the finite values.
fn rms(values: impl Iterator<Item = f32>) -> f64 {
    let (count, sum) = values
        .filter(|value| value.is_finite())
        .fold((0u32, 0.0), |(count, sum), value| (count + 1, sum + f64::from(value) * f64::from(value)));
    (sum / f64::from(count.max(1))).sqrt()
}

/// Returns the value of a float; `None` for other types, or if the element is missing.
fn float(dtype: DType, element: &[u8]) -> Option<f32> {
    match dtype {
        DType::F32 => element.try_into().ok().map(f32::from_le_bytes),
        DType::F16 => element.try_into().ok().map(|bytes| f16::from_le_bytes(bytes).to_f32()),
        _ => None,
    }
}

fn value(dtype: DType, element: &[u8]) -> Value {
    let integer = match (dtype, element) {
        (DType::F32 | DType::F16, _) => return Value::Float(float(dtype, element).unwrap_or(f32::NAN)),
        (DType::I8, &[byte]) => Some(i64::from(byte.cast_signed())),
        (DType::U8, &[byte]) => Some(i64::from(byte)),
        (DType::I32, _) => element.try_into().ok().map(i32::from_le_bytes).map(i64::from),
        (DType::U32, _) => element.try_into().ok().map(u32::from_le_bytes).map(i64::from),
        _ => None,
    };
    integer.map_or_else(|| Value::Block(element.to_vec()), Value::Integer)
}

#[cfg(test)]
mod tests;
