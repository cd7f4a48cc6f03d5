//! Free ranges, of a file or of a piece of one.

use std::{collections::BTreeMap, ops::Range};

/// Ranges that nobody has; neighbours are one.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    /// Ends by starts.
    free: BTreeMap<u64, u64>,
}

impl Ranges {
    /// Takes so many bytes at a multiple of `align`, as near to the start as there is room.
    pub(super) fn take(&mut self, len: u64, align: u64) -> Option<u64> {
        let (start, end, at) = self.free.iter().find_map(|(&start, &end)| {
            let at = start.checked_next_multiple_of(align)?;
            (at.checked_add(len)? <= end).then_some((start, end, at))
        })?;
        self.free.remove(&start);
        for (start, end) in [(start, at), (at + len, end)] {
            if start < end {
                self.free.insert(start, end);
            }
        }
        Some(at)
    }

    /// Frees a range that is not free.
    pub(super) fn give(&mut self, range: Range<u64>) {
        let Range { mut start, mut end } = range;
        if let Some((&before, _)) = self.free.range(..start).next_back().filter(|(_, end)| **end == start) {
            self.free.remove(&before);
            start = before;
        }
        if let Some(after) = self.free.remove(&end) {
            end = after;
        }
        self.free.insert(start, end);
    }

    /// The free range that ends here.
    pub(super) fn ending_at(&self, end: u64) -> Option<Range<u64>> {
        self.free.iter().next_back().filter(|(_, last)| **last == end).map(|(&start, &end)| start..end)
    }

    /// Whether this range is free and nothing else.
    pub(super) fn is_exactly(&self, range: &Range<u64>) -> bool {
        self.free.len() == 1 && self.free.get(&range.start) == Some(&range.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_taken_again_and_neighbours_are_one() {
        let mut ranges = Ranges::default();
        assert_eq!(ranges.take(1, 1), None);
        ranges.give(0..100);
        assert_eq!([ranges.take(10, 1), ranges.take(20, 1), ranges.take(30, 1)], [Some(0), Some(10), Some(30)]);
        // In the middle, before it and behind it.
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
}
