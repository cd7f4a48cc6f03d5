//! What a host can say about the pools of its kernels, and read from them.

use std::time::Duration;

/// How a runtime keeps the instances of each kernel; [`RuntimeBuilder::pool`](crate::RuntimeBuilder::pool) takes one.
///
/// # Example: at most eight instances a kernel, two of them kept warm, and a refusal for the ninth caller
/// ```
/// use kernelpack_host::{PoolPolicy, Runtime, WhenFull};
///
/// let policy = PoolPolicy { size: 8, max_idle: 2, when_full: WhenFull::Fail, ..PoolPolicy::default() };
/// let builder = Runtime::server().pool(policy);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolPolicy {
    /// Instances that a kernel has at once, busy and idle ones, without those of its bindings: the smallest of this, the `max_instances` of its
    /// manifest and that of the runtime is the limit. No smaller than the others unless given; at least 1.
    pub size: u32,
    /// What a call does that finds every instance busy and the limit reached. It waits for up to 10 s unless given.
    pub when_full: WhenFull,
    /// Idle instances that are kept, at most the limit; no fewer unless given. With 0 each call gets a new instance, so
    /// that nothing of one call is left for the next.
    pub max_idle: u32,
    /// An instance whose memory has grown past this many bytes is not kept when its call ends. All are kept unless
    /// given.
    pub max_idle_bytes: u64,
}

impl Default for PoolPolicy {
    fn default() -> Self {
        let when_full = WhenFull::Wait { timeout: Some(Duration::from_secs(10)) };
        Self { size: u32::MAX, when_full, max_idle: u32::MAX, max_idle_bytes: u64::MAX }
    }
}

/// What a call does that finds every instance of its kernel busy and the limit reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// It waits until an instance is free, first come, first served.
    ///
    /// A [`Prepared`](crate::Prepared) call keeps its instance: a thread that holds the last one and calls the kernel
    /// waits for itself, without end if there is no timeout.
    Wait {
        /// After which it fails with [`EngineError::Busy`](crate::EngineError::Busy); `None` for never.
        timeout: Option<Duration>,
    },
    /// It fails with [`EngineError::Busy`](crate::EngineError::Busy).
    Fail,
    /// It gets a further instance, which is not kept, beyond what the manifest allows but never beyond what the runtime
    /// does; at that ceiling it fails.
    Grow,
}

/// How many instances of a kernel there are at a moment; other threads change it at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occupancy {
    /// Instances that wait for a call.
    pub idle: u32,
    /// Instances in a call, prepared calls among them.
    pub busy: u32,
    /// Instances that bindings have, which are none of the others.
    pub bound: u32,
    /// Calls that wait for an instance.
    pub waiting: u32,
    /// Instances that there may be; more than this are busy only where the pool may [grow](WhenFull::Grow).
    pub limit: u32,
}
