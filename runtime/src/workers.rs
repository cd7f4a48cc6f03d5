//! The threads over which bound calls are divided.
//!
//! A part of a call is an instance that has it laid out, and goes to another thread and comes back as that instance.
//! Waking a thread takes about as long as a kernel of 256 rows, and calls come in a row: who waits for the next part, or
//! for the last one, spins for a moment before it sleeps. Parts that no thread has begun when the caller is done with its
//! own are the caller's again, so that a call never waits for a thread that the system does not run.

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

/// How long a thread spins: as long as another kernel may take between two calls.
const SPIN: Duration = Duration::from_micros(300);

/// Threads that help the one that calls.
#[derive(Debug)]
pub(crate) struct Workers {
    workers: Vec<Worker>,
    calls: AtomicUsize,
    /// The process that has the workers: a forked child has none.
    process: Lineage,
}

/// The instances of a divided call, each in its place; none in one whose instance a worker has.
pub(crate) type Parts = [Option<Box<Guest>>];

/// Where the parts of one binding's calls come back.
pub(crate) struct Answers {
    to: SyncSender<Answer>,
    from: Receiver<Answer>,
}

impl Answers {
    /// For so many parts.
    pub(crate) fn new(parts: usize) -> Self {
        let (to, from) = sync_channel(parts);
        Self { to, from }
    }

    /// The next one, which is under way.
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
    /// So many threads, the calling one among them, or as many as the system gives; none if that is all.
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

    /// Threads that one call can use.
    pub(crate) fn count(&self) -> usize {
        self.workers().len() + 1
    }

    /// Those of this process. In a forked child, one may have held its lock at the fork, and nobody would give that back.
    fn workers(&self) -> &[Worker] {
        if self.process.is_current() { &self.workers } else { &[] }
    }

    /// Runs what is laid out in all parts at the same time, some of it on this thread, and gives the first failure in
    /// their order; that of one which was stopped, if there is any.
    ///
    /// All parts share one budget, which begins now. After one was stopped, this thread begins no other.
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
            // There is a sender as long as `answers` is there.
            let Some(Answer { index, guest, outcome }) = answers.next() else { break };
            worst.record(index, outcome);
            parts[index] = Some(guest);
            away -= 1;
        }
        worst.into_result()
    }
}

/// Gives a job to a thread that has nothing to do, or back.
fn offer(workers: &[Worker], job: Job) -> Result<(), Job> {
    // Calls on several threads begin with different workers.
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

/// How a part ended; an error is what a panic was thrown with.
type Outcome = Result<Result<(), Failure>, Box<dyn Any + Send>>;

/// The failure that a caller is told of several.
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
                // One that was stopped is what the caller must know of: its instance is lost.
                let rank = |index: usize, failure: &Failure| (!failure.spoils_guest(), index);
                let is_worse = |(at, known): &(usize, Failure)| rank(index, &failure) < rank(*at, known);
                if self.failure.as_ref().is_none_or(is_worse) {
                    self.failure = Some((index, failure));
                }
            }
            Err(panic) => self.panic = Some(panic),
        }
    }

    /// Whether the call has failed, so that another part would run for nothing.
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

/// Waits for a moment, at most as long as this holds.
fn spin_while(mut holds: impl FnMut() -> bool) {
    let mut start = None;
    loop {
        // A look at the clock takes longer than one at the condition.
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
