use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;

/// Keeps tests that depend on which ranges are free from running at the same time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bytes(memory: &SharedMemory, range: Range<usize>) -> *const [u8] {
    std::ptr::slice_from_raw_parts(memory.address.as_ptr().wrapping_add(range.start), range.len())
}

#[test]
fn only_whole_pages_can_be_mapped_by_themselves() {
    let page = page_size();
    let memory = SharedMemory::zeros(3 * page + 8).unwrap();
    let part = |range| SharedPart::of(bytes(&memory, range));
    let mapped_len = |range| part(range).map(|part| part.mapped_len());
    assert_eq!(mapped_len(0..3 * page + 8), Some(4 * page));
    assert_eq!(mapped_len(page..2 * page), Some(page));
    assert_eq!(mapped_len(2 * page..3 * page + 8), Some(2 * page));
    assert_eq!(mapped_len(0..page - 4), None);
    assert_eq!(mapped_len(4..page), None);
    assert_eq!(mapped_len(page..page), None);
    assert_eq!(mapped_len(0..4 * page), None, "beyond the bytes asked for");
    assert!(SharedPart::of(&[0u8; 64]).is_none());
}

#[test]
fn what_was_dropped_is_not_found() {
    let memory = SharedMemory::zeros(100).unwrap();
    let all = bytes(&memory, 0..100);
    assert!(SharedPart::of(all).is_some());
    drop(memory);
    assert!(SharedPart::of(all).is_none());
}

fn offsets(memories: &[Arc<SharedMemory>]) -> Vec<u64> {
    memories.iter().map(|memory| memory.range.start).collect()
}

#[test]
fn ranges_are_used_again_and_are_zero() {
    let _alone = alone();
    // Small and large ones.
    for len in [100, page_size(), 5 * page_size() + 1, Slabs::LARGEST + 1, 3 * HUGE_PAGE] {
        let mut ends = Vec::new();
        for round in 0..200 {
            let memory = SharedMemory::zeros(len).unwrap();
            // SAFETY: the bytes belong to this test, and nothing else refers to them.
            let bytes = unsafe { std::slice::from_raw_parts_mut(memory.address.as_ptr(), len) };
            assert!(bytes.iter().all(|byte| *byte == 0), "{len} bytes, round {round}");
            bytes.fill(1);
            ends.push(memory.range.end);
        }
        ends.sort_unstable();
        ends.dedup();
        assert!(ends.len() < 100, "{len} bytes were at {} places", ends.len());
    }
}

#[test]
fn small_memories_share_a_mapping_and_no_page() {
    let _alone = alone();
    let memories: Vec<_> = (0..2000).map(|_| SharedMemory::zeros(3).unwrap()).collect();
    assert!(memories.iter().all(|memory| memory.view.is_none()));
    let mut starts = offsets(&memories);
    starts.sort_unstable();
    assert!(starts.windows(2).all(|pair| pair[0] + page_size() as u64 <= pair[1]));
    assert!(memories.iter().all(|memory| memory.address.as_ptr().addr().is_multiple_of(page_size())));
}

#[test]
fn what_is_mapped_into_a_linear_memory_is_not_used_again() {
    let _alone = alone();
    let region = super::super::Region::reserve(1 << 20).unwrap();
    region.grow_to(1 << 18).unwrap();
    let memory = SharedMemory::zeros(100).unwrap();
    let range = memory.range.clone();
    region.map(0, &SharedPart::of(bytes(&memory, 0..100)).unwrap(), true).unwrap();
    drop(memory);
    let mut others = Vec::new();
    // Enough to fill the slab, and more.
    for _ in 0..1000 {
        others.push(SharedMemory::zeros(1).unwrap());
    }
    assert!(!offsets(&others).contains(&range.start));
    drop(region);
}
