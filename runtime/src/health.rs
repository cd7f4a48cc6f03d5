//! Checks that the kernels of a pack work, by running their health vectors in the sandbox.
//!
//! Vectors run in the sandbox alone and never fall back on a reference implementation, since the question is what the
//! module does on this engine and machine. Nothing is written anywhere.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kernelpack_engine::{Export, TICK};
use kernelpack_manifest::{Mismatch, VerifiedVector, compare};
use semver::Version;

use crate::{
    Error, KernelError, Occupancy, Pack, ResourceError,
    guest::CLEANUP_TICKS,
    loaded::{Leased, LoadedKernel},
    neighbours::Neighbour as _,
};

/// The time limit of a whole check, unless the caller gives another.
const LIMIT: Duration = Duration::from_secs(60);

/// The result of a check that every health vector passed.
///
/// # Example: which vectors a pack passed
/// ```no_run
/// use kernelpack_host::{Pack, health::HealthError};
///
/// fn check(pack: &Pack) -> Result<(), HealthError> {
///     let report = pack.check_health()?;
///     for vector in &report.checked {
///         println!("{}: {:?}", vector.kernel, vector.took);
///     }
///     println!("not checked, for want of vectors: {:?}", report.unchecked);
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct HealthReport {
    /// The vectors that were run, in the manifest's order.
    pub checked: Vec<CheckedVector>,
    /// The ids of the kernels that have no vectors, so their health is unknown.
    pub unchecked: Vec<String>,
}

/// A health vector that passed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CheckedVector {
    /// The id of the kernel.
    pub kernel: String,
    /// The file of the vector, relative to the pack.
    pub vector: String,
    /// How far the results were allowed to be from the expected ones.
    pub tolerance: f64,
    /// How long the call took, including its copies, and making an instance if there was none.
    pub took: Duration,
}

/// A pack that failed one or more of its health vectors.
#[derive(Debug, thiserror::Error)]
#[error(
    "pack {pack:?} {version} is unhealthy: kernel {kernel:?} fails its vector {vector:?}: {fault}{}",
    list(.others)
)]
#[non_exhaustive]
pub struct Unhealthy {
    /// The pack's name.
    pub pack: String,
    /// The pack's version.
    pub version: Version,
    /// The id of the first kernel that failed.
    pub kernel: String,
    /// The file of its vector, relative to the pack.
    pub vector: String,
    /// What happened.
    pub fault: HealthFault,
    /// The vectors that failed after it. Once time or the machine's memory ran out, no further vectors were run.
    pub others: Vec<FailedVector>,
    /// The vectors that passed.
    pub report: HealthReport,
}

/// A health vector that failed.
#[derive(Debug, thiserror::Error)]
#[error("kernel {kernel:?} fails its vector {vector:?}: {fault}")]
#[non_exhaustive]
pub struct FailedVector {
    /// The id of the kernel.
    pub kernel: String,
    /// The file of the vector, relative to the pack.
    pub vector: String,
    /// What happened.
    pub fault: HealthFault,
}

fn list(others: &[FailedVector]) -> String {
    others.iter().map(|failed| format!("; {failed}")).collect()
}

/// A pack whose health could not be checked, through no fault of its own.
#[derive(Debug, thiserror::Error)]
#[error("the health of pack {pack:?} {version} cannot be checked here: {error}")]
#[non_exhaustive]
pub struct Unchecked {
    /// The pack's name.
    pub pack: String,
    /// The pack's version.
    pub version: Version,
    /// The id of the kernel that could not be run.
    pub kernel: String,
    /// What the machine or the engine lacks, or that other callers have all instances.
    pub error: ResourceError,
}

/// The reason why a check did not pass.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// The pack is at fault.
    #[error(transparent)]
    Unhealthy(Box<Unhealthy>),
    /// The machine is at fault, or no instance was free. The pack may be healthy.
    #[error(transparent)]
    Unchecked(Box<Unchecked>),
}

/// The reason why a health vector failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HealthFault {
    /// The kernel returned something else.
    #[error("{mismatch}{}", told(.mismatch))]
    WrongResult {
        /// The first element that differs from the expected one.
        mismatch: Mismatch,
        /// The vector's tolerance, relative to the larger of the expected value and the rms of its tensor.
        tolerance: f64,
    },
    /// The kernel trapped, ran out of the budget of a call, or refused the call.
    #[error("{0}")]
    Kernel(KernelError),
    /// The check as a whole exceeded its time limit.
    #[error("the check exceeded its limit of {limit:?}; allow more time, or make the pack's vectors smaller or fewer")]
    TimeLimit {
        /// The limit.
        limit: Duration,
    },
    /// The call could not be made.
    #[error("{0}")]
    Failed(Error),
}

/// Returns the tolerance as text, if the element exceeded one.
fn told(mismatch: &Mismatch) -> String {
    match mismatch.tolerance {
        Some(tolerance) if mismatch.allowed > 0.0 => format!(" (tolerance {tolerance:?})"),
        _ => String::new(),
    }
}

impl Pack {
    /// Runs every health vector of the pack in the sandbox, each within a call's usual budget, and all within 60 s.
    ///
    /// A pack without vectors passes; [`HealthReport::unchecked`] names the kernels that have none. If all instances of
    /// a kernel are busy, the check waits for one, whatever the pool's policy is. If a kernel had no instances before,
    /// the check leaves none behind.
    ///
    /// # Errors
    /// [`HealthError::Unhealthy`] with the vectors that failed: by wrong results, a trap or an overrun deadline. The
    /// check runs all vectors to find them, as long as there is time. [`HealthError::Unchecked`] if the machine lacks
    /// address space, memory or mappings for an instance, or if all instances stay busy until the time is up: neither
    /// says anything about the pack.
    ///
    /// # Example: refusing a pack that computes nonsense on this machine
    /// ```no_run
    /// use kernelpack_host::{Pack, Runtime};
    ///
    /// fn open(runtime: &Runtime, dir: &str) -> Result<Pack, Box<dyn std::error::Error>> {
    ///     let pack = runtime.open(dir)?;
    ///     let report = pack.check_health()?;
    ///     for kernel in &report.unchecked {
    ///         eprintln!("{kernel} has no health vectors");
    ///     }
    ///     Ok(pack)
    /// }
    /// ```
    pub fn check_health(&self) -> Result<HealthReport, HealthError> {
        self.check_health_within(LIMIT)
    }

    /// Like [`check_health`](Self::check_health), but takes at most `limit` in total, including waiting for instances.
    /// The limit is kept as closely as the deadlines of calls are.
    ///
    /// # Errors
    /// As [`check_health`](Self::check_health).
    pub fn check_health_within(&self, limit: Duration) -> Result<HealthReport, HealthError> {
        let deadline = Instant::now().checked_add(limit);
        let mut report = HealthReport::default();
        let mut failed = Vec::new();
        for vector in self.vectors() {
            let start = Instant::now();
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(start));
            let checked = self.check_vector(vector, limit, left);
            let (kernel, path) = (vector.kernel().to_owned(), vector.path().to_owned());
            match checked {
                Ok(()) => {
                    let (tolerance, took) = (vector.tolerance(), start.elapsed());
                    report.checked.push(CheckedVector { kernel, vector: path, tolerance, took });
                }
                // What the machine lacks says nothing about the pack. If vectors failed before, they are enough to
                // report.
                Err(HealthFault::Failed(Error::Resources(error))) => {
                    if failed.is_empty() {
                        return Err(self.not_checked(kernel, error));
                    }
                    break;
                }
                Err(fault) => {
                    let over = matches!(fault, HealthFault::TimeLimit { .. });
                    failed.push(FailedVector { kernel, vector: path, fault });
                    if over {
                        break;
                    }
                }
            }
        }
        let unchecked = self.manifest().kernels.iter().filter(|kernel| kernel.health.is_empty());
        report.unchecked = unchecked.map(|kernel| kernel.id.clone()).collect();
        self.judge(report, failed)
    }

    fn check_vector(&self, vector: &VerifiedVector, limit: Duration, left: Duration) -> Result<(), HealthFault> {
        let kernel = &self.dispatcher(vector.kernel()).map_err(HealthFault::Failed)?.loaded;
        if ticks(left) == 0 {
            return Err(HealthFault::TimeLimit { limit });
        }
        let Occupancy { idle, busy, .. } = kernel.pool.occupancy();
        let result = run_in_time(kernel, vector, limit, left);
        // An instance reserves 4 GiB of address space, which the next kernel may need.
        if idle + busy == 0 {
            kernel.trim_within(ticks(left).min(CLEANUP_TICKS));
        }
        result
    }

    #[cold]
    fn not_checked(&self, kernel: String, error: ResourceError) -> HealthError {
        let manifest = self.manifest();
        let (pack, version) = (manifest.name.clone(), manifest.version.clone());
        HealthError::Unchecked(Box::new(Unchecked { pack, version, kernel, error }))
    }

    fn judge(&self, report: HealthReport, failed: Vec<FailedVector>) -> Result<HealthReport, HealthError> {
        let mut failed = failed.into_iter();
        let Some(FailedVector { kernel, vector, fault }) = failed.next() else { return Ok(report) };
        let manifest = self.manifest();
        let (pack, version) = (manifest.name.clone(), manifest.version.clone());
        let others = failed.collect();
        Err(HealthError::Unhealthy(Box::new(Unhealthy { pack, version, kernel, vector, fault, others, report })))
    }
}

/// Returns the number of whole ticks in this time.
fn ticks(time: Duration) -> u32 {
    u32::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX)
}

fn run_in_time(
    kernel: &Arc<LoadedKernel>,
    vector: &VerifiedVector,
    limit: Duration,
    left: Duration,
) -> Result<(), HealthFault> {
    let start = Instant::now();
    // The pack is not unhealthy just because its callers have all the instances.
    let lease = kernel.lease_within(left).map_err(HealthFault::Failed)?;
    let ticks = ticks(left.saturating_sub(start.elapsed()));
    match run(kernel, lease, vector, ticks) {
        // The call's own budget is longer, so the time limit of the check stopped the call.
        Err(HealthFault::Kernel(KernelError::EpochDeadline)) if kernel.ticks(u32::MAX) > ticks => {
            Err(HealthFault::TimeLimit { limit })
        }
        result => result,
    }
}

/// Makes the call of a vector and compares its results.
fn run(kernel: &Arc<LoadedKernel>, lease: Leased<'_>, vector: &VerifiedVector, ticks: u32) -> Result<(), HealthFault> {
    kernel.spec.forward.with(|signature| {
        let (called, results) = vector.vector().lend(signature, |tensors, scalars| {
            kernel.call_in(lease, Export::Forward, signature, tensors, scalars, ticks)
        });
        called.map_err(|error| match error {
            Error::Kernel(failure) => HealthFault::Kernel(failure.error),
            other => HealthFault::Failed(other),
        })?;
        let tolerance = vector.tolerance();
        compare(vector.vector().expected(), &results, tolerance)
            .map_err(|mismatch| HealthFault::WrongResult { mismatch, tolerance })
    })
}
