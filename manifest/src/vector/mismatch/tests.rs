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
        "element 1 of \"y\" is -0.0, expected 0.0 bit for bit"
    );
    assert_eq!(
        said(&expected, &floats(&[1.0000001, 0.0, f32::NAN, f32::INFINITY]), 0.0),
        "element 0 of \"y\" is 1.0000001, expected 1.0 bit for bit"
    );
    assert!(said(&expected, &floats(&[1.0, 0.0, 1.0, f32::INFINITY]), 0.0).contains("is 1.0, expected NaN"));
    assert!(said(&expected, &floats(&[1.0, 0.0, 1.0, f32::INFINITY]), 0.0).ends_with("expected NaN"));
    assert!(said(&expected, &floats(&[f32::NAN, 0.0, f32::NAN, 0.0]), 0.0).starts_with("element 0 of"));
}

#[test]
fn the_tolerance_is_relative_to_the_larger_of_element_and_rms() {
    // The rms is 5.
    let expected = floats(&[1.0, 7.0]);
    assert_eq!(compare(&expected, &floats(&[1.04, 6.94]), 1e-2), Ok(()));
    assert_eq!(
        said(&expected, &floats(&[1.0625, 7.0]), 1e-2),
        "element 0 of \"y\" is 1.0625, expected 1.0 within 5e-2"
    );
    assert!(compare(&expected, &floats(&[1.0, 7.08]), 1e-2).is_err());
    assert!(compare(&expected, &floats(&[1.0, f32::NAN]), 0.9).is_err());
    assert!(compare(&expected, &floats(&[f32::INFINITY, 7.0]), 0.9).is_err());
    assert_eq!(compare(&floats(&[0.0]), &floats(&[-0.0]), 1e-2), Ok(()));
    assert!(compare(&floats(&[0.0]), &floats(&[1e-30]), 1e-2).is_err());
}

#[test]
fn what_is_said_of_the_bound_is_true() {
    let zero = "element 0 of \"y\" is 0.76, expected 0.0";
    assert_eq!(
        said(&floats(&[0.0]), &floats(&[0.76]), 1e-5),
        format!("{zero} exactly, since the tolerance is relative and the expected values are all zero")
    );
    assert_eq!(said(&floats(&[0.0]), &floats(&[0.76]), 0.0), format!("{zero} bit for bit"));
    assert_eq!(
        said(&floats(&[0.0, 4.0, 4.0, 4.0]), &floats(&[0.76; 4]), 0.125),
        format!("{zero} within 4.330127018922193e-1")
    );
    let infinite = |actual| said(&floats(&[f32::INFINITY]), &floats(&[actual]), 1e-5);
    assert_eq!(infinite(1.0), "element 0 of \"y\" is 1.0, expected inf bit for bit");
    for tolerance in [0.0, 1e-5] {
        let nan = said(&floats(&[f32::NAN]), &floats(&[1.0]), tolerance);
        assert_eq!(nan, "element 0 of \"y\" is 1.0, expected NaN");
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
    assert_eq!(said(&half(1.0), &half(1.5), 1e-3), "element 0 of \"y\" is 1.5, expected 1.0 within 1e-3");
    for (dtype, says) in [
        (DType::I8, "element 1 of \"y\" is -1, expected 0 bit for bit"),
        (DType::U8, "element 1 of \"y\" is 255, expected 0 bit for bit"),
    ] {
        assert_eq!(said(&tensor(dtype, vec![0, 0]), &tensor(dtype, vec![0, 255]), 0.9), says);
    }
    let last = vec![0, 0, 0, 255];
    assert!(said(&tensor(DType::I32, vec![0; 4]), &tensor(DType::I32, last.clone()), 0.9).contains("is -16777216,"));
    assert!(said(&tensor(DType::U32, vec![0; 4]), &tensor(DType::U32, last), 0.9).contains("is 4278190080,"));
    let mut block = vec![0; 18];
    block[17] = 0xab;
    assert_eq!(
        said(&tensor(DType::Q4_0, vec![0; 18]), &tensor(DType::Q4_0, block), 0.9),
        format!(
            "element 0 of \"y\" is the block {}ab, expected the block {} bit for bit",
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
