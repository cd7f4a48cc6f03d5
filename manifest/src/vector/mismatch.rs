//! Whether a kernel gave what a health vector expects.

use std::fmt;

use half::f16;
use kernelpack_abi::DType;

use crate::NamedTensor;

/// The first element that is not what was expected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("element {index} of {tensor:?} is {actual}, {expected} is expected{}", bound(.expected, *.allowed, *.tolerance))]
pub struct Mismatch {
    /// The tensor's name.
    pub tensor: String,
    /// The element's place, row-major from 0.
    pub index: usize,
    /// What was expected.
    pub expected: Value,
    /// What came out.
    pub actual: Value,
    /// How far from it the element may be; 0 is to the bit.
    pub allowed: f64,
    /// The tolerance that `allowed` comes of; none where none applies: to integers, blocks, and what is not finite.
    pub tolerance: Option<f64>,
}

fn bound(expected: &Value, allowed: f64, tolerance: Option<f64>) -> String {
    match (expected, tolerance) {
        // Any would have done.
        (Value::Float(expected), _) if expected.is_nan() => String::new(),
        (_, None) => " to the bit".to_owned(),
        // With either sign.
        (_, Some(_)) if allowed == 0.0 => {
            " exactly, since a tolerance is relative to the values expected, which are all zero".to_owned()
        }
        (_, Some(_)) => format!(" within {allowed:e}"),
    }
}

/// An element, for people.
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
            // In the shortest form that reads back, and with the sign of zero.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Integer(value) => value.fmt(f),
            Self::Block(bytes) => {
                f.write_str("the block ")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// Compares results with what was expected, tensor by tensor.
///
/// With a tolerance of 0 floats must agree to the bit, where any NaN is as good as another. Else each may be away from
/// the expected one by tolerance · max(|expected|, rms), where rms is the root of the mean square of the tensor's finite
/// expected values: an element that is small by cancellation is held to the size of its neighbours. What is not finite
/// must be the same. Integers and blocks must always agree to the bit.
///
/// # Errors
/// The first element that is something else. A tensor with another name, type or shape, which no call of a kernel that
/// the vector was checked against gives, counts as one whose first element is missing.
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

/// Whether an element is what was expected; `allowed` is none where only the same bits are.
fn agree(dtype: DType, expected: &[u8], actual: &[u8], allowed: Option<f64>) -> bool {
    if expected == actual {
        return true;
    }
    match (float(dtype, expected), float(dtype, actual), allowed) {
        (Some(expected), Some(actual), _) if expected.is_nan() => actual.is_nan(),
        // False for what is not finite, since infinities that are the same have the same bits.
        (Some(expected), Some(actual), Some(allowed)) => (f64::from(actual) - f64::from(expected)).abs() <= allowed,
        _ => false,
    }
}

/// The root of the mean square of those that are finite.
fn rms(values: impl Iterator<Item = f32>) -> f64 {
    let (count, sum) = values
        .filter(|value| value.is_finite())
        .fold((0u32, 0.0), |(count, sum), value| (count + 1, sum + f64::from(value) * f64::from(value)));
    (sum / f64::from(count.max(1))).sqrt()
}

/// The value of a float; none for other types, or where there is no element.
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
mod tests {
    use kernelpack_abi::Shape;

    use super::*;

    fn tensor(dtype: DType, bytes: Vec<u8>) -> [NamedTensor; 1] {
        let shape = Shape::new(&[bytes.len() / dtype.size() as usize]).unwrap();
        [NamedTensor { name: "y".into(), dtype, shape, bytes }]
    }

    fn floats(values: &[f32]) -> [NamedTensor; 1] {
        tensor(DType::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    fn said(expected: &[NamedTensor], actual: &[NamedTensor], tolerance: f64) -> String {
        compare(expected, actual, tolerance).unwrap_err().to_string()
    }

    #[test]
    fn without_tolerance_floats_agree_to_the_bit() {
        let expected = floats(&[1.0, 0.0, f32::NAN, f32::INFINITY]);
        let other_nan = f32::from_bits(0xffc0_0001);
        assert_eq!(compare(&expected, &floats(&[1.0, 0.0, other_nan, f32::INFINITY]), 0.0), Ok(()));
        assert_eq!(
            said(&expected, &floats(&[1.0, -0.0, f32::NAN, f32::INFINITY]), 0.0),
            "element 1 of \"y\" is -0.0, 0.0 is expected to the bit"
        );
        assert_eq!(
            said(&expected, &floats(&[1.0000001, 0.0, f32::NAN, f32::INFINITY]), 0.0),
            "element 0 of \"y\" is 1.0000001, 1.0 is expected to the bit"
        );
        assert!(said(&expected, &floats(&[1.0, 0.0, 1.0, f32::INFINITY]), 0.0).contains("is 1.0, NaN is expected"));
        assert!(said(&expected, &floats(&[1.0, 0.0, 1.0, f32::INFINITY]), 0.0).ends_with("NaN is expected"));
        assert!(said(&expected, &floats(&[f32::NAN, 0.0, f32::NAN, 0.0]), 0.0).starts_with("element 0 of"));
    }

    #[test]
    fn the_tolerance_is_relative_to_the_larger_of_element_and_rms() {
        // The rms is 5.
        let expected = floats(&[1.0, 7.0]);
        assert_eq!(compare(&expected, &floats(&[1.04, 6.94]), 1e-2), Ok(()));
        assert_eq!(
            said(&expected, &floats(&[1.0625, 7.0]), 1e-2),
            "element 0 of \"y\" is 1.0625, 1.0 is expected within 5e-2"
        );
        assert!(compare(&expected, &floats(&[1.0, 7.08]), 1e-2).is_err());
        assert!(compare(&expected, &floats(&[1.0, f32::NAN]), 0.9).is_err());
        assert!(compare(&expected, &floats(&[f32::INFINITY, 7.0]), 0.9).is_err());
        assert_eq!(compare(&floats(&[0.0]), &floats(&[-0.0]), 1e-2), Ok(()));
        assert!(compare(&floats(&[0.0]), &floats(&[1e-30]), 1e-2).is_err());
    }

    #[test]
    fn what_is_said_of_the_bound_is_true() {
        let zero = "element 0 of \"y\" is 0.76, 0.0 is expected";
        assert_eq!(
            said(&floats(&[0.0]), &floats(&[0.76]), 1e-5),
            format!("{zero} exactly, since a tolerance is relative to the values expected, which are all zero")
        );
        assert_eq!(said(&floats(&[0.0]), &floats(&[0.76]), 0.0), format!("{zero} to the bit"));
        assert_eq!(
            said(&floats(&[0.0, 4.0, 4.0, 4.0]), &floats(&[0.76; 4]), 0.125),
            format!("{zero} within 4.330127018922193e-1")
        );
        let infinite = |actual| said(&floats(&[f32::INFINITY]), &floats(&[actual]), 1e-5);
        assert_eq!(infinite(1.0), "element 0 of \"y\" is 1.0, inf is expected to the bit");
        for tolerance in [0.0, 1e-5] {
            let nan = said(&floats(&[f32::NAN]), &floats(&[1.0]), tolerance);
            assert_eq!(nan, "element 0 of \"y\" is 1.0, NaN is expected");
        }
    }

    #[test]
    fn what_is_not_finite_widens_nothing() {
        let expected = floats(&[1.0, f32::INFINITY, f32::NAN]);
        assert_eq!(compare(&expected, &floats(&[1.005, f32::INFINITY, f32::NAN]), 1e-2), Ok(()));
        assert!(compare(&expected, &floats(&[1.1, f32::INFINITY, f32::NAN]), 1e-2).is_err());
        assert!(compare(&expected, &floats(&[1.0, f32::MAX, f32::NAN]), 0.9).is_err());
        assert!(compare(&expected, &floats(&[1.0, f32::NEG_INFINITY, f32::NAN]), 0.9).is_err());
        assert!(compare(&expected, &floats(&[1.0, f32::INFINITY, 1.0]), 0.9).is_err());
    }

    #[test]
    fn halves_are_widened_and_other_types_agree_to_the_bit() {
        let half = |value: f32| tensor(DType::F16, f16::from_f32(value).to_le_bytes().to_vec());
        assert_eq!(compare(&half(1.0), &half(1.001), 1e-3), Ok(()));
        assert_eq!(said(&half(1.0), &half(1.5), 1e-3), "element 0 of \"y\" is 1.5, 1.0 is expected within 1e-3");
        for (dtype, says) in [
            (DType::I8, "element 1 of \"y\" is -1, 0 is expected to the bit"),
            (DType::U8, "element 1 of \"y\" is 255, 0 is expected to the bit"),
        ] {
            assert_eq!(said(&tensor(dtype, vec![0, 0]), &tensor(dtype, vec![0, 255]), 0.9), says);
        }
        let last = vec![0, 0, 0, 255];
        assert!(
            said(&tensor(DType::I32, vec![0; 4]), &tensor(DType::I32, last.clone()), 0.9).contains("is -16777216,")
        );
        assert!(said(&tensor(DType::U32, vec![0; 4]), &tensor(DType::U32, last), 0.9).contains("is 4278190080,"));
        let mut block = vec![0; 18];
        block[17] = 0xab;
        assert_eq!(
            said(&tensor(DType::Q4_0, vec![0; 18]), &tensor(DType::Q4_0, block), 0.9),
            format!(
                "element 0 of \"y\" is the block {}ab, the block {} is expected to the bit",
                "00".repeat(17),
                "00".repeat(18)
            )
        );
    }

    #[test]
    fn a_tensor_that_is_not_there_is_a_mismatch() {
        assert!(compare(&floats(&[1.0]), &[], 0.9).is_err());
        assert!(compare(&floats(&[1.0]), &floats(&[1.0, 2.0]), 0.9).is_err());
        assert_eq!(compare(&floats(&[]), &floats(&[]), 0.0), Ok(()));
    }
}
