//! The threads over which bound calls are divided.
//!
//! Each part of a divided call is laid out in an instance of its own. To run a part, the caller sends the instance to a
//! worker thread, which sends it back when the part is done.
//!
//! Waking a thread takes about as long as a kernel on 256 rows, and calls often follow each other closely. So workers
//! that wait for the next part, and callers that wait for the last one, spin for a moment before they sleep. When the
//! caller is done with its own part, it takes back the parts that no worker has begun, so that a call never waits for a
//! thread that the system has not scheduled.

mod worker;

use std::{
    any::Any,
    hint,
    num::NonZeroUsize,
    panic::resume_unwind,
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    time::{Duration, Instant},
};

use kernelpack_engine::Budget;
use kernelpack_memory::Lineage;

use self::worker::{Answer, Job, Worker, run_caught};
use crate::guest::{Failure, Guest};

/// The time for which a thread spins; another kernel may take as long between two calls.
const SPIN: Duration = Duration::from_micros(300);

/// Threads that help the calling one.
#[derive(Debug)]
pub(crate) struct Workers {
    workers: Vec<Worker>,
    calls: AtomicUsize,
    /// The process that started the workers; a forked child does not have them.
    process: Lineage,
}

/// The instances of a divided call, by part; `None` while a worker has the instance.
pub(crate) type Parts = [Option<Box<Guest>>];

/// The channel through which workers return the parts of one binding's calls.
pub(crate) struct Answers {
    to: SyncSender<Answer>,
    from: Receiver<Answer>,
}

impl Answers {
    /// Makes a channel with room for this many parts.
    pub(crate) fn new(parts: usize) -> Self {
        let (to, from) = sync_channel(parts);
        Self { to, from }
    }

    /// Waits for the next part that a worker returns.
    fn next(&self) -> Option<Answer> {
        let mut answer = Err(TryRecvError::Empty);
        spin_while(|| {
            answer = self.from.try_recv();
            matches!(answer, Err(TryRecvError::Empty))
        });
        answer.ok().or_else(|| self.from.recv().ok())
    }
}

impl Workers {
    /// Starts workers for `count` threads including the calling one, or as many as the system allows; `None` if there
    /// are no workers.
    pub(crate) fn new(count: NonZeroUsize) -> Option<Self> {
        let start = |number| {
            let worker = Worker::start(number);
            if let Err(error) = &worker {
                tracing::warn!(target: "kernelpack", threads = number, asked = count, %error, "bound calls use fewer threads");
            }
            worker.ok()
        };
        let workers: Vec<_> = (1..count.get()).map_while(start).collect();
        (!workers.is_empty()).then(|| Self { workers, calls: AtomicUsize::new(0), process: Lineage::current() })
    }

    /// Returns how many threads one call can use.
    pub(crate) fn count(&self) -> usize {
        self.workers().len() + 1
    }

    /// Returns the workers of this process. A forked child must not use them: one may have held its lock at the fork,
    /// which would never be released.
    fn workers(&self) -> &[Worker] {
        if self.process.is_current() { &self.workers } else { &[] }
    }

    /// Runs all parts of a call at the same time, some of them on this thread. If parts fail, returns the failure of
    /// the first one that was stopped or, if none was, of the first one that failed.
    ///
    /// All parts share one budget, which starts now. After a part was stopped, this thread does not begin another.
    pub(crate) fn run(&self, parts: &mut Parts, answers: &Answers, ticks: u32) -> Result<(), Failure> {
        let call = self.calls.fetch_add(1, Relaxed);
        let workers = self.workers();
        let budget = Budget::new(ticks);
        let mut away = 0;
        for (index, place) in parts.iter_mut().enumerate().skip(1) {
            if let Some(guest) = place.take() {
                match offer(workers, Job { call, index, guest, budget, answers: answers.to.clone() }) {
                    Ok(()) => away += 1,
                    Err(job) => *place = Some(job.guest),
                }
            }
        }
        let mut worst = Worst::default();
        for (index, place) in parts.iter_mut().enumerate() {
            if let Some(guest) = place.as_mut().filter(|_| !worst.is_final()) {
                worst.record(index, run_caught(guest, budget));
            }
        }
        while let Some(Job { index, mut guest, .. }) = workers.iter().find_map(|worker| worker.withdraw(call)) {
            if !worst.is_final() {
                worst.record(index, run_caught(&mut guest, budget));
            }
            parts[index] = Some(guest);
            away -= 1;
        }
        while away > 0 {
            // Never `None`, since `answers` itself keeps a sender.
            let Some(Answer { index, guest, outcome }) = answers.next() else { break };
            worst.record(index, outcome);
            parts[index] = Some(guest);
            away -= 1;
        }
        worst.into_result()
    }
}

/// Gives a job to a worker that is idle, or gives it back if there is none.
fn offer(workers: &[Worker], job: Job) -> Result<(), Job> {
    // Calls from several threads start with different workers.
    let (after, before) = workers.split_at(job.call % workers.len().max(1));
    let mut job = job;
    for worker in before.iter().chain(after) {
        match worker.post(job) {
            Ok(()) => return Ok(()),
            Err(refused) => job = refused,
        }
    }
    Err(job)
}

/// The result of a part; the outer error is the payload of a panic.
type Outcome = Result<Result<(), Failure>, Box<dyn Any + Send>>;

/// The failure that the caller gets if several parts fail.
#[derive(Default)]
struct Worst {
    panic: Option<Box<dyn Any + Send>>,
    failure: Option<(usize, Failure)>,
}

impl Worst {
    fn record(&mut self, index: usize, outcome: Outcome) {
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                // A stopped part comes first, since its instance is lost.
                let rank = |index: usize, failure: &Failure| (!failure.spoils_guest(), index);
                let is_worse = |(at, known): &(usize, Failure)| rank(index, &failure) < rank(*at, known);
                if self.failure.as_ref().is_none_or(is_worse) {
                    self.failure = Some((index, failure));
                }
            }
            Err(panic) => self.panic = Some(panic),
        }
    }

    /// Returns whether the call has already failed, which makes running further parts useless.
    fn is_final(&self) -> bool {
        self.panic.is_some() || self.failure.as_ref().is_some_and(|(_, failure)| failure.spoils_guest())
    }

    fn into_result(self) -> Result<(), Failure> {
        if let Some(panic) = self.panic {
            resume_unwind(panic);
        }
        self.failure.map_or(Ok(()), |(_, failure)| Err(failure))
    }
}

/// Spins for a moment, as long as `holds` returns true.
fn spin_while(mut holds: impl FnMut() -> bool) {
    let mut start = None;
    loop {
        // Reading the clock takes longer than checking the condition.
        for _ in 0..32 {
            if !holds() {
                return;
            }
            hint::spin_loop();
        }
        if start.get_or_insert_with(Instant::now).elapsed() > SPIN {
            return;
        }
    }
}
