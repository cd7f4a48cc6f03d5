//! Free ranges of a file or of a part of one.

use std::{collections::BTreeMap, ops::Range};

/// Free ranges; adjacent ones are merged.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    /// Maps starts to ends.
    free: BTreeMap<u64, u64>,
}

impl Ranges {
    /// Takes this many bytes at a multiple of `align`, as near to the start as possible.
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

    /// Frees a range that is in use.
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

    /// Returns the free range that ends at this offset.
    pub(super) fn ending_at(&self, end: u64) -> Option<Range<u64>> {
        self.free.iter().next_back().filter(|(_, last)| **last == end).map(|(&start, &end)| start..end)
    }

    /// Returns whether exactly this range is free, and nothing else.
    pub(super) fn is_exactly(&self, range: &Range<u64>) -> bool {
        self.free.len() == 1 && self.free.get(&range.start) == Some(&range.end)
    }
}

#[cfg(test)]
mod tests;
