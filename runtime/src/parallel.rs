//! Applies a function to many items, on all processors.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Builder},
};

/// Applies a function to each item and its index; the results are in the items' order.
///
/// The calling thread works too, so this is never slower than a loop, even if no other thread can be started.
///
/// # Errors
/// The error of the first item, in order, that fails. Items after it may or may not have been processed.
pub(crate) fn map<T: Send, R: Send, E: Send>(
    items: Vec<T>,
    apply: impl Fn(usize, T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let (count, failed) = (items.len(), AtomicBool::new(false));
    let left = Mutex::new(items.into_iter().enumerate());
    let done = Mutex::new(Vec::with_capacity(count));
    let work = || {
        // Items are handed out in order, so every item before a failed one has been started and will be finished.
        while !failed.load(Ordering::Relaxed) {
            let next = left.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((index, item)) = next else { break };
            let result = apply(index, item);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(count);
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
        let squares = map(items.clone(), |index, item| {
            assert_eq!(index as u32, item);
            Ok::<_, ()>(item * item)
        });
        assert_eq!(squares, Ok(items.iter().map(|item| item * item).collect()));
        assert_eq!(map(vec![(); 0], |_, ()| Err::<(), _>(())), Ok(vec![]));
    }

    #[test]
    fn the_error_is_that_of_the_first_item_that_fails() {
        let items: Vec<usize> = (0..64).collect();
        for first in 0..items.len() {
            let result = map(items.clone(), |index, _| {
                if index == first {
                    // Lets later items finish first.
                    thread::yield_now();
                }
                if index >= first { Err(index) } else { Ok(()) }
            });
            assert_eq!(result, Err(first));
        }
    }
}
