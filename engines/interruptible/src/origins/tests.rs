use super::*;

#[test]
fn offsets_count_from_the_last_step() {
    let mut origin = Origin::at(100);
    // A touch of three bytes before the instruction at 110, and a call for the three bytes at 120.
    origin.step(10, 110);
    origin.step(13, 110);
    origin.step(23, 120);
    origin.step(25, 123);
    let origins = Origins::new(vec![Origin::at(50), origin]);
    let found = [9, 10, 13, 14, 23, 25, 26].map(|new| origins.offset(1, new).unwrap());
    assert_eq!(found, [109, 110, 110, 111, 120, 123, 124]);
    assert_eq!((origins.offset(0, 7), origins.offset(2, 0)), (Some(57), None));
    assert!(origins.has(1) && !origins.has(2));
}
