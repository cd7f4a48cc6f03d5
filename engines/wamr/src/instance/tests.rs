use super::*;
use kernelpack_abi::exports;

#[test]
fn functions_stand_where_the_constants_say() {
    let names = [
        (FORWARD, exports::FORWARD),
        (BATCH, exports::FORWARD_BATCH),
        (BACKWARD, exports::BACKWARD),
        (INIT, exports::INIT),
        (CLEANUP, exports::CLEANUP),
        (INFO, exports::INFO),
    ];
    assert_eq!(names.len(), FUNCTIONS.len());
    for (at, name) in names {
        assert_eq!(FUNCTIONS[at].to_str().unwrap(), name);
    }
}
