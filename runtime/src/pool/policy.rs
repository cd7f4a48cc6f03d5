//! What a host can say about the pools of its kernels, and read from them.

use std::time::Duration;

/// How a runtime keeps the instances of each kernel; [`RuntimeBuilder::pool`](crate::RuntimeBuilder::pool) takes one.
///
/// # Example: at most eight instances a kernel, two of them kept warm, and a refusal for the ninth caller
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
    /// As many instances as the manifest and the runtime allow, all of them kept when they are idle; a call that finds all
    /// of them busy waits for up to 10 s.
    pub fn new() -> Self {
        let when_full = WhenFull::Wait { timeout: Some(Duration::from_secs(10)) };
        Self { size: None, when_full, max_idle: None, max_idle_bytes: None }
    }

    /// Lets a kernel have at most this many instances at once, at least 1, if its manifest and the runtime do not allow
    /// fewer. Instances of bindings do not count.
    pub fn size(mut self, instances: u32) -> Self {
        self.size = Some(instances);
        self
    }

    /// Chooses what a call does that finds every instance busy and the limit reached. By default, it waits for up to
    /// 10 s.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Keeps at most this many idle instances. With 0, each call gets a new instance, so that nothing of one call is left
    /// for the next.
    pub fn max_idle(mut self, instances: u32) -> Self {
        self.max_idle = Some(instances);
        self
    }

    /// Does not keep an instance whose memory has grown past this many bytes when its call ends. By default, all are kept.
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
