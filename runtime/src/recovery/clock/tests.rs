use super::*;

#[test]
fn one_call_in_64_is_timed_and_none_where_nothing_is_reported() {
    let timed = |on| {
        let clock = Clock::new(on);
        (0..129).filter(|_| clock.start().is_some()).count()
    };
    assert_eq!((timed(true), timed(false)), (3, 0));
}
