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
mod tests;
