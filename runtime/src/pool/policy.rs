//! The configuration of instance pools, and counts of their instances.

use std::time::Duration;

/// The limits on the instances of each kernel that a runtime keeps; passed to
/// [`RuntimeBuilder::pool`](crate::RuntimeBuilder::pool).
///
/// # Example: at most eight instances per kernel, two of them kept while idle, and an error for the ninth caller
/// ```
/// use kernelpack_host::{Runtime, policy::{PoolPolicy, WhenFull}};
///
/// let policy = PoolPolicy::new().size(8).max_idle(2).when_full(WhenFull::Fail);
/// let builder = Runtime::server().pool(policy);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct PoolPolicy {
    pub(crate) size: Option<u32>,
    pub(crate) when_full: WhenFull,
    pub(crate) max_idle: Option<u32>,
    pub(crate) max_idle_bytes: Option<u64>,
}

impl PoolPolicy {
    /// Allows as many instances as the manifest and the runtime do and keeps all of them while they are idle. A call
    /// that finds all of them busy waits for up to 10 s.
    pub fn new() -> Self {
        let when_full = WhenFull::Wait { timeout: Some(Duration::from_secs(10)) };
        Self { size: None, when_full, max_idle: None, max_idle_bytes: None }
    }

    /// Lets a kernel have at most this many instances at once, at least 1; the manifest or the runtime may allow fewer.
    /// Instances of bindings do not count.
    pub fn size(mut self, instances: u32) -> Self {
        self.size = Some(instances);
        self
    }

    /// Chooses what a call does if every instance is busy and the limit is reached. By default, it waits for up to 10
    /// s.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Keeps at most this many idle instances. With 0, each call gets a new instance, which has no data of earlier
    /// calls.
    pub fn max_idle(mut self, instances: u32) -> Self {
        self.max_idle = Some(instances);
        self
    }

    /// Drops an instance after a call if its memory has more than this many bytes. By default, all are kept.
    pub fn max_idle_bytes(mut self, bytes: u64) -> Self {
        self.max_idle_bytes = Some(bytes);
        self
    }
}

impl Default for PoolPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// The behaviour of a call if every instance of its kernel is busy and the limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// The call waits until an instance is free, first come, first served.
    ///
    /// A [`Prepared`](crate::Prepared) call keeps its instance: a thread that holds the last instance in one and calls
    /// the kernel waits for itself, forever if there is no timeout.
    Wait {
        /// How long it waits before it fails with [`ResourceError::Busy`](crate::ResourceError::Busy); `None` for no
        /// limit.
        timeout: Option<Duration>,
    },
    /// The call fails with [`ResourceError::Busy`](crate::ResourceError::Busy).
    Fail,
    /// The call gets an extra instance, which is not kept. That may exceed the limit of the manifest, but not that of
    /// the runtime; when the runtime's limit is reached, the call fails.
    Grow,
}

/// The numbers of a kernel's instances at one moment; other threads may change that at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occupancy {
    /// Idle instances.
    pub idle: u32,
    /// Instances that are running a call or belong to a prepared one.
    pub busy: u32,
    /// Instances of bindings, which the other numbers do not include.
    pub bound: u32,
    /// Calls that are waiting for an instance.
    pub waiting: u32,
    /// How many instances there may be; more can be busy only if the pool may [grow](WhenFull::Grow).
    pub limit: u32,
}
