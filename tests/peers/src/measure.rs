//! Times all peers side by side.
//!
//! The peers' samples alternate, so that anything which slows the machine for a while affects all peers alike. Each
//! sample starts with a call that does not count, which brings its data and code back into the caches.

use std::time::{Duration, Instant};

use crate::peer::{AnyPeer, Failure};

/// The time to spend on measuring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// The minimum time of one sample, which contains as many calls as that takes.
    sample: Duration,
    /// After this time no new round starts.
    total: Duration,
    /// The minimum and the maximum number of rounds.
    rounds: (usize, usize),
}

impl Budget {
    /// The budget for figures that may be quoted.
    pub(crate) const FULL: Self =
        Self { sample: Duration::from_millis(1), total: Duration::from_secs(12), rounds: (51, 1001) };
    /// The budget for checking that everything works.
    pub(crate) const QUICK: Self =
        Self { sample: Duration::from_micros(10), total: Duration::from_millis(50), rounds: (3, 5) };
}

/// Returns the nanoseconds per row for each peer, one value per round, sorted.
///
/// # Errors
/// The first error of a peer.
pub(crate) fn measure(budget: Budget, peers: &mut [Box<dyn AnyPeer>]) -> Result<Vec<Vec<f64>>, Failure> {
    let rows =
        peers.iter_mut().map(|peer| calibrate(budget.sample, &mut **peer)).collect::<Result<Vec<_>, Failure>>()?;
    let mut samples = vec![Vec::new(); peers.len()];
    let (least, most) = budget.rounds;
    let start = Instant::now();
    for round in 0..most {
        if round >= least && start.elapsed() >= budget.total {
            break;
        }
        for turn in 0..peers.len() {
            // Each peer is first, second and so on equally often. The call that does not count reloads what the
            // previous peer evicted from the caches.
            let index = (turn + round) % peers.len();
            peers[index].run(1)?;
            samples[index].push(sample(rows[index], &mut *peers[index])?);
        }
    }
    for samples in &mut samples {
        samples.sort_by(f64::total_cmp);
    }
    Ok(samples)
}

/// Returns the number of rows that a sample needs.
fn calibrate(least: Duration, peer: &mut dyn AnyPeer) -> Result<u32, Failure> {
    const MOST: u32 = 1 << 20;
    // The first access to memory and code is slow.
    peer.run(1)?;
    let mut rows = 1;
    loop {
        let needed = least.as_nanos() as f64 / sample(rows, peer)?;
        if needed <= f64::from(rows) || rows == MOST {
            return Ok(rows);
        }
        rows = (needed.ceil() as u32).clamp(rows + 1, MOST);
    }
}

/// Returns the nanoseconds per row of one sample.
fn sample(rows: u32, peer: &mut dyn AnyPeer) -> Result<f64, Failure> {
    let start = Instant::now();
    let rows = peer.run(rows)?;
    // If the clock does not advance during a sample, one nanosecond is assumed.
    Ok((start.elapsed().as_nanos() as f64).max(1.0) / f64::from(rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::{Peer, Side};

    struct Failing(u32);

    impl Peer for Failing {
        const NAME: &'static str = "failing";
        const SIDE: Side = Side::Peer;

        fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure> {
            self.0 = self.0.checked_sub(1).ok_or("no more calls")?;
            Ok([0.0])
        }
    }

    #[test]
    fn samples_are_sorted_and_failures_end_it() {
        let samples = measure(Budget::QUICK, &mut [Box::new(Failing(u32::MAX)), Box::new(Failing(u32::MAX))]).unwrap();
        assert_eq!(samples.len(), 2);
        assert!(samples.iter().all(|samples| samples.len() >= 3 && samples.is_sorted() && samples[0] > 0.0));
        let failed = measure(Budget::QUICK, &mut [Box::new(Failing(u32::MAX)), Box::new(Failing(5))]);
        assert_eq!(failed.unwrap_err().to_string(), "no more calls");
    }
}
