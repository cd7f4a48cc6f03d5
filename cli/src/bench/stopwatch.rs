//! Measures several things side by side.

use std::time::{Duration, Instant};

/// The time to spend on a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// The minimum time of one sample, which contains as many calls as that takes.
    sample: Duration,
    /// The time after which no further round starts.
    total: Duration,
    /// The minimum and the maximum number of rounds; a round takes one sample of each thing.
    rounds: (usize, usize),
    /// Whether each sample starts with a call that does not count, to bring its data back into the caches.
    settle: bool,
}

impl Budget {
    /// A budget for figures that may be quoted.
    pub(crate) const FULL: Self =
        Self { sample: Duration::from_millis(1), total: Duration::from_millis(1500), rounds: (5, 301), settle: true };
    /// A budget for checking that everything works.
    pub(crate) const QUICK: Self =
        Self { sample: Duration::from_micros(10), total: Duration::from_millis(20), rounds: (3, 5), settle: true };

    /// Returns the budget for workloads larger than any cache, whose calls take long.
    pub(crate) fn in_memory(self) -> Self {
        Self { rounds: (self.rounds.0.min(3), self.rounds.1), settle: false, ..self }
    }
}

/// A call to measure.
pub(crate) type Timed<'a, E> = &'a mut dyn FnMut() -> Result<(), E>;

/// Returns the median time of one call of each, in nanoseconds.
///
/// All take samples in turns, so that anything which slows down the machine for a while affects them alike.
///
/// # Errors
/// The first error of a call.
pub(crate) fn medians<E>(budget: Budget, subjects: &mut [Timed<'_, E>]) -> Result<Vec<f64>, E> {
    let calls = subjects.iter_mut().map(|subject| calibrate(budget.sample, subject)).collect::<Result<Vec<_>, E>>()?;
    let mut samples = vec![Vec::new(); subjects.len()];
    let (least, most) = budget.rounds;
    let start = Instant::now();
    let mut round = 0;
    while round < least || round < most && start.elapsed() < budget.total {
        for turn in 0..subjects.len() {
            // The order rotates, so that no subject always follows the same other one.
            let index = (turn + round) % subjects.len();
            if budget.settle {
                subjects[index]()?;
            }
            samples[index].push(sample(calls[index], &mut subjects[index])?);
        }
        round += 1;
    }
    Ok(samples.into_iter().map(median).collect())
}

/// Determines the number of calls that a sample needs.
fn calibrate<E>(sample_time: Duration, subject: &mut Timed<'_, E>) -> Result<u32, E> {
    // The first access to memory and code is slow.
    subject()?;
    let mut calls = 1;
    loop {
        let needed = sample_time.as_nanos() as f64 / sample(calls, subject)?;
        if needed <= f64::from(calls) || calls >= 1 << 20 {
            return Ok(calls);
        }
        calls = (needed.ceil() as u32).clamp(calls + 1, 1 << 20);
    }
}

/// Takes a sample: nanoseconds per call.
fn sample<E>(calls: u32, subject: &mut Timed<'_, E>) -> Result<f64, E> {
    let start = Instant::now();
    for _ in 0..calls {
        subject()?;
    }
    // If the clock did not advance, this assumes a nanosecond.
    Ok((start.elapsed().as_nanos() as f64).max(1.0) / f64::from(calls))
}

pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests;
