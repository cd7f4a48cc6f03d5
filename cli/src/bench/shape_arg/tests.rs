use super::*;

#[test]
fn extents_read_back() {
    for text in ["7", "64x4096", "1x2x3x4"] {
        assert_eq!(text.parse::<ShapeArg>().unwrap().to_string(), text);
    }
    for text in ["", "x", "64x", "64X4096", "0x4", "-1", "4294967296"] {
        assert!(text.parse::<ShapeArg>().is_err(), "{text}");
    }
}
