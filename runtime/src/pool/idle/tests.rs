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
