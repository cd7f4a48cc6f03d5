//! The idle items of a pool.
//!
//! No thread ever waits for another here. Each slot is one word that is swapped atomically, and one bit per slot marks
//! slots that may have an item. A bit may be set although its slot has been emptied. If a slot is filled, its bit is
//! set, unless another thread is in the middle of filling or emptying that slot. So no item is lost, and a search finds
//! every item that no other thread is handling.

use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};

use crossbeam_utils::{CachePadded, atomic::AtomicCell};

/// Slots per word of bits.
const BITS: usize = u64::BITS as usize;

/// A fixed number of slots for items. If possible, a thread gets the item that it left last, which is still in its
/// processor's caches.
///
/// It is lock-free if an `Option<T>` is one word.
pub(super) struct Idle<T> {
    slots: Box<[CachePadded<AtomicCell<Option<T>>>]>,
    bits: Box<[AtomicU64]>,
}

impl<T> Idle<T> {
    /// Whether operations never wait for another thread.
    pub(super) const IS_LOCK_FREE: bool = AtomicCell::<Option<T>>::is_lock_free();

    /// Makes room for `capacity` items, at least one.
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            slots: (0..capacity).map(|_| CachePadded::new(AtomicCell::new(None))).collect(),
            bits: (0..capacity.div_ceil(BITS)).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Takes an item, if there is one.
    #[inline]
    pub(super) fn pop(&self) -> Option<T> {
        let own = self.own();
        self.take(own).or_else(|| self.pop_elsewhere(own / BITS))
    }

    /// Takes an item from another thread's slot; the search begins at the word of bits that has this thread's slot.
    fn pop_elsewhere(&self, first: usize) -> Option<T> {
        let words = self.bits.len();
        (0..words).map(|turn| (first + turn) % words).find_map(|word| {
            let mut bits = self.bits[word].load(SeqCst);
            while bits != 0 {
                let slot = word * BITS + bits.trailing_zeros() as usize;
                if let Some(item) = self.take(slot) {
                    return Some(item);
                }
                bits &= bits - 1;
            }
            None
        })
    }

    /// Leaves an item.
    ///
    /// # Errors
    /// If there is no room, gives back this item or another one.
    #[inline]
    pub(super) fn push(&self, item: T) -> Result<(), T> {
        let own = self.own();
        self.put(own, item).or_else(|item| self.push_elsewhere(own, item))
    }

    #[cold]
    fn push_elsewhere(&self, own: usize, mut item: T) -> Result<(), T> {
        // First the slots that look empty, then the others, since a bit may be set for a slot that has been emptied.
        for looks_full in [false, true] {
            for turn in 1..self.slots.len() {
                let slot = (own + turn) % self.slots.len();
                if looks_full == self.looks_full(slot) {
                    match self.put(slot, item) {
                        Ok(()) => return Ok(()),
                        Err(other) => item = other,
                    }
                }
            }
        }
        Err(item)
    }

    /// Returns how many items a search can find now.
    pub(super) fn len(&self) -> usize {
        self.bits.iter().map(|bits| bits.load(Relaxed).count_ones() as usize).sum()
    }

    fn looks_full(&self, slot: usize) -> bool {
        self.bits[slot / BITS].load(Relaxed) & bit(slot) != 0
    }

    /// Clears the bit before it takes the item; [`put`](Self::put) sets the bit after it puts the item. So an item
    /// whose bit is clear is about to be taken, or has just been put.
    #[inline]
    fn take(&self, slot: usize) -> Option<T> {
        let bits = &self.bits[slot / BITS];
        if bits.load(SeqCst) & bit(slot) == 0 || bits.fetch_and(!bit(slot), SeqCst) & bit(slot) == 0 {
            return None;
        }
        self.slots[slot].take()
    }

    /// Puts an item into a slot and gives back the one that was there.
    #[inline]
    fn put(&self, slot: usize, item: T) -> Result<(), T> {
        let before = self.slots[slot].swap(Some(item));
        self.bits[slot / BITS].fetch_or(bit(slot), SeqCst);
        before.map_or(Ok(()), Err)
    }

    /// Returns the slot where this thread looks first.
    #[inline]
    fn own(&self) -> usize {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static NUMBER: usize = THREADS.fetch_add(1, Relaxed);
        }
        // A thread that is ending has no number any more and uses the first slot.
        NUMBER.try_with(|number| number % self.slots.len()).unwrap_or(0)
    }
}

fn bit(slot: usize) -> u64 {
    1 << (slot % BITS)
}

#[cfg(test)]
mod tests;
