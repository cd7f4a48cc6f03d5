use super::*;
use std::string::ToString;

#[test]
fn counts_elements_and_bytes() {
    let shape = Shape::new(&[64, 4096]).unwrap();
    assert_eq!((shape.rank(), shape.elements(), shape.bytes(DType::F16)), (2, 262_144, 524_288));
    assert_eq!(shape.to_string(), "64x4096");
    assert_eq!(Shape::new(&[]).unwrap().elements(), 1);
    assert_eq!(Shape::new(&[3, 0, usize::MAX >> 34]).unwrap().elements(), 0);
}

#[test]
fn refuses_what_linear_memory_cannot_hold() {
    assert_eq!(Shape::new(&[1; 9]), Err(ShapeError::Rank { rank: 9 }));
    assert_eq!(Shape::new(&[usize::MAX]), Err(ShapeError::TooLarge));
    assert_eq!(Shape::new(&[65536, 65536]), Err(ShapeError::TooLarge));
    // The other extents are checked even if one is zero; otherwise their product could overflow.
    assert_eq!(Shape::new(&[65536, 65536, 0]), Err(ShapeError::TooLarge));
}
