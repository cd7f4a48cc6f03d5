//! Doing the same to many things, on all processors.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Builder},
};

/// Applies a function to each item and its index; the results are in the items' order.
///
/// The calling thread works as well, so that it is never worse than a loop; threads that cannot be started are done
/// without.
///
/// # Errors
/// That of the first item, in order, that fails. Items after it may have been tried or not.
pub(crate) fn map<T: Sync, R: Send, E: Send>(
    items: &[T],
    apply: impl Fn(usize, &T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let work = || {
        // Items are handed out in order: whatever stands before a failed one has been begun, and will be done.
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            let result = apply(index, item);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    thread::scope(|scope| {
        for _ in 1..threads {
            let _ = Builder::new().name("kernelpack-load".to_owned()).spawn_scoped(scope, work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order() {
        let items: Vec<u32> = (0..1000).collect();
        let squares = map(&items, |index, item| {
            assert_eq!(index as u32, *item);
            Ok::<_, ()>(item * item)
        });
        assert_eq!(squares, Ok(items.iter().map(|item| item * item).collect()));
        assert_eq!(map(&[(); 0], |_, ()| Err::<(), _>(())), Ok(vec![]));
    }

    #[test]
    fn the_error_is_that_of_the_first_item_that_fails() {
        let items: Vec<usize> = (0..64).collect();
        for first in 0..items.len() {
            let result = map(&items, |index, _| {
                if index == first {
                    // The later ones get ahead.
                    thread::yield_now();
                }
                if index >= first { Err(index) } else { Ok(()) }
            });
            assert_eq!(result, Err(first));
        }
    }
}
