//! The idle items of a pool.
//!
//! No thread ever waits for another here. Each slot is one word that is swapped atomically, and one bit per slot says
//! where it is worth looking. A bit may be set although its slot has been emptied. If a slot is filled, its bit is set,
//! unless another thread is in the middle of filling or emptying that slot. So no item is lost, and a search finds
//! every item that no other thread is handling.

use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};

use crossbeam_utils::{CachePadded, atomic::AtomicCell};

/// Slots per word of bits.
const BITS: usize = u64::BITS as usize;

/// A fixed number of slots for items. A thread gets the item that it left last if possible, which is still in its
/// caches.
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

    /// How many items a search can find now.
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

    /// The slot where this thread looks first.
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
mod tests {
    use std::{
        collections::BTreeSet,
        sync::{Arc, Mutex},
        thread,
    };

    use super::*;

    #[test]
    fn a_word_is_lock_free() {
        const { assert!(Idle::<Box<[u8; 100]>>::IS_LOCK_FREE) };
    }

    #[test]
    fn what_is_pushed_is_popped_once_and_there_is_room_for_so_many() {
        for capacity in [1, 2, 63, 64, 65, 200] {
            let idle = Idle::new(capacity);
            for round in 0..3 {
                assert_eq!((idle.len(), idle.pop()), (0, None), "{round}");
                for item in 0..capacity {
                    idle.push(Box::new(item)).unwrap();
                    assert_eq!(idle.len(), item + 1);
                }
                let surplus = *idle.push(Box::new(capacity)).unwrap_err();
                let mut popped: BTreeSet<_> = (0..capacity).map(|_| *idle.pop().unwrap()).collect();
                assert!(popped.insert(surplus));
                assert_eq!(popped.len(), capacity + 1);
            }
        }
    }

    #[test]
    fn a_thread_gets_what_it_left_and_else_what_others_left() {
        let idle = Idle::new(100);
        idle.push(Box::new(1)).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                idle.push(Box::new(2)).unwrap();
                assert_eq!(idle.pop().as_deref(), Some(&2));
                assert_eq!(idle.pop().as_deref(), Some(&1));
                assert_eq!(idle.pop(), None);
            });
        });
    }

    #[test]
    fn a_bit_that_was_left_behind_hides_nothing() {
        let idle = Idle::new(2);
        // As if a thread had been between the two steps of `put` while another emptied the slot.
        idle.bits[0].store(0b11, SeqCst);
        assert_eq!((idle.pop(), idle.len()), (None, 0));
        idle.bits[0].store(0b11, SeqCst);
        idle.push(Box::new(1)).unwrap();
        idle.push(Box::new(2)).unwrap();
        assert_eq!(idle.pop().map(|one| *one + *idle.pop().unwrap()), Some(3));
    }

    #[test]
    fn none_is_lost_and_none_doubled_among_threads() {
        const THREADS: usize = 8;
        const ROUNDS: usize = 20_000;
        for capacity in [3, 70] {
            let idle = Arc::new(Idle::new(capacity));
            (0..3).for_each(|item| idle.push(Box::new(item)).unwrap());
            let surplus = Mutex::new(Vec::new());
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        for _ in 0..ROUNDS {
                            if let Some(item) = idle.pop()
                                && let Err(item) = idle.push(item)
                            {
                                surplus.lock().unwrap().push(item);
                            }
                        }
                    });
                }
            });
            let mut items = surplus.into_inner().unwrap();
            items.extend(std::iter::from_fn(|| idle.pop()));
            items.sort();
            assert_eq!(items.iter().map(|item| **item).collect::<Vec<_>>(), [0, 1, 2]);
        }
    }
}
