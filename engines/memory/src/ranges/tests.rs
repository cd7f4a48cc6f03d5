use super::*;

#[test]
fn what_is_given_is_taken_again_and_neighbours_are_one() {
    let mut ranges = Ranges::default();
    assert_eq!(ranges.take(1, 1), None);
    ranges.give(0..100);
    assert_eq!([ranges.take(10, 1), ranges.take(20, 1), ranges.take(30, 1)], [Some(0), Some(10), Some(30)]);
    // Inside the range, before it and after it.
    for (given, free) in [(10..30, 10..30), (0..10, 0..30)] {
        ranges.give(given);
        assert_eq!(ranges.free, [(free.start, free.end), (60, 100)].into());
    }
    ranges.give(30..60);
    assert!(ranges.is_exactly(&(0..100)) && !ranges.is_exactly(&(0..99)));
    assert_eq!(ranges.ending_at(100), Some(0..100));
    assert_eq!(ranges.take(101, 1), None);
    assert_eq!(ranges.take(100, 1), Some(0));
}

#[test]
fn what_aligning_leaves_stays_free() {
    let mut ranges = Ranges::default();
    ranges.give(3..100);
    assert_eq!(ranges.take(16, 16), Some(16));
    assert_eq!(ranges.take(13, 1), Some(3));
    assert_eq!(ranges.take(64, 64), None);
    assert_eq!(ranges.free, [(32, 100)].into());
    assert_eq!(ranges.ending_at(99), None);
    assert_eq!(ranges.take(u64::MAX, 16), None);
}
