use super::*;

#[test]
fn the_status_of_a_batch_crosses_the_boundary() {
    for (code, index, bits) in [(0, 0, 0), (3, 2, 0x2_0000_0003), (-1, u32::MAX, -1), (6, 1 << 31, i64::MIN + 6)] {
        let status = BatchStatus { code, index };
        assert_eq!((status.to_bits(), BatchStatus::from_bits(bits)), (bits, status));
    }
    assert_eq!(BatchStatus::OK.to_bits(), 0);
}

#[test]
fn codes_and_names_are_those_of_the_specification() {
    let names = ["OK", "INVALID_INPUT", "INVALID_OUTPUT", "INVALID_PARAMS", "OUT_OF_MEMORY", "NOT_IMPLEMENTED"];
    for (code, name) in names.into_iter().chain(["INTERNAL_ERROR"]).enumerate() {
        let status = Status::from_code(code as i32).unwrap();
        assert_eq!((status.code(), status.name()), (code as i32, name));
    }
    assert_eq!(Status::from_code(7), None);
    assert_eq!(Status::from_code(-1), None);
}
