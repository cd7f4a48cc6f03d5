//! A thread that runs parts of calls.

use std::{
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Release},
        },
        mpsc::SyncSender,
    },
    thread::{Builder, JoinHandle},
};

use kernelpack_engine::Budget;
use kernelpack_memory::Lineage;

use super::{Outcome, spin_while};
use crate::guest::Guest;

/// A part of a call, to be run by a worker.
pub(super) struct Job {
    /// The number of the call.
    pub(super) call: usize,
    /// The number of the part.
    pub(super) index: usize,
    pub(super) guest: Box<Guest>,
    pub(super) budget: Budget,
    pub(super) answers: SyncSender<Answer>,
}

/// A part that a worker has run.
pub(super) struct Answer {
    pub(super) index: usize,
    pub(super) guest: Box<Guest>,
    pub(super) outcome: Outcome,
}

/// Runs the part that is laid out in an instance. Catches panics, which resume in the caller once all parts are back.
pub(super) fn run_caught(guest: &mut Guest, budget: Budget) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| guest.run_again(budget.left())))
}

/// A thread, and a mailbox for one job.
#[derive(Debug)]
pub(super) struct Worker {
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<()>>,
    /// The process that started the thread; a forked child does not have it.
    process: Lineage,
}

#[derive(Default)]
struct Mailbox {
    mail: Mutex<Mail>,
    /// Whether there is a job or the mailbox is closed; a spinning thread checks this.
    is_full: AtomicBool,
    wake: Condvar,
}

#[derive(Default)]
struct Mail {
    job: Option<Job>,
    is_working: bool,
    is_asleep: bool,
    is_closed: bool,
}

impl Worker {
    /// Starts a thread with a number in its name.
    pub(super) fn start(number: usize) -> io::Result<Self> {
        let mailbox = Arc::<Mailbox>::default();
        let theirs = mailbox.clone();
        let thread = Builder::new().name(format!("kernelpack-{number}")).spawn(move || theirs.work())?;
        Ok(Self { mailbox, thread: Some(thread), process: Lineage::current() })
    }

    /// Gives the thread a job, or gives the job back if the thread already has one.
    pub(super) fn post(&self, job: Job) -> Result<(), Job> {
        let mut mail = self.mailbox.lock();
        if mail.is_working || mail.job.is_some() {
            return Err(job);
        }
        mail.job = Some(job);
        self.mailbox.is_full.store(true, Release);
        let is_asleep = mail.is_asleep;
        drop(mail);
        if is_asleep {
            self.mailbox.wake.notify_one();
        }
        Ok(())
    }

    /// Takes back a job of this call, unless the thread has begun it.
    pub(super) fn withdraw(&self, call: usize) -> Option<Job> {
        let mut mail = self.mailbox.lock();
        let job = mail.job.take_if(|job| job.call == call)?;
        self.mailbox.is_full.store(mail.is_closed, Release);
        Some(job)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.process.is_current() {
            // The thread belongs to the parent process, and may have held the lock at the fork.
            mem::forget((self.mailbox.clone(), self.thread.take()));
            return;
        }
        self.mailbox.lock().is_closed = true;
        self.mailbox.is_full.store(true, Release);
        self.mailbox.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // The thread catches panics of jobs, and nothing else in it panics.
            let _ = thread.join();
        }
    }
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Mail> {
        // No panic under the lock can leave the mail half-updated.
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(Job { index, mut guest, budget, answers, .. }) = self.next() {
            let outcome = run_caught(&mut guest, budget);
            // Before the answer is sent, since the caller may post the next job at once.
            self.lock().is_working = false;
            // The caller is waiting, and the channel has room for every part.
            let _ = answers.send(Answer { index, guest, outcome });
        }
    }

    /// Waits for a job; `None` once the mailbox is closed.
    fn next(&self) -> Option<Job> {
        spin_while(|| !self.is_full.load(Acquire));
        let mut mail = self.lock();
        loop {
            if let Some(job) = mail.job.take() {
                mail.is_working = true;
                self.is_full.store(mail.is_closed, Release);
                return Some(job);
            }
            if mail.is_closed {
                return None;
            }
            mail.is_asleep = true;
            mail = self.wake.wait(mail).unwrap_or_else(PoisonError::into_inner);
            mail.is_asleep = false;
        }
    }
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
