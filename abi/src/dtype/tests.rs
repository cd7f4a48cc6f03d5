use super::*;

#[test]
fn codes_and_names_round_trip() {
    for dtype in DType::ALL {
        assert_eq!(DType::from_code(dtype.code()), Some(dtype));
        assert_eq!(DType::from_name(dtype.name()), Some(dtype));
    }
    assert_eq!(DType::from_code(0), None);
    assert_eq!(DType::from_code(9), None);
    assert_eq!(DType::from_name("f64"), None);
}
