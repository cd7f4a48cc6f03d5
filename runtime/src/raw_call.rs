//! Calls of an empty function, as a baseline for measurements.

use std::{fmt, sync::Arc};

use kernelpack_engine::{EmptyFunction, Engine};

use crate::{Error, Runtime};

/// A call of an empty function by the engine alone, without checks, copies or a deadline. For measurements only.
///
/// [`Runtime::raw_call`](crate::Runtime::raw_call) makes one. The additional time of a kernel's call is spent in
/// Kernelpack and in the kernel.
///
/// # Example: the time of a raw call
/// ```no_run
/// use std::time::Instant;
///
/// use kernelpack_host::{Error, Runtime};
///
/// fn time(runtime: &Runtime) -> Result<f64, Error> {
///     let mut call = runtime.raw_call()?;
///     call.repeat(1000)?;
///     let start = Instant::now();
///     call.repeat(1_000_000)?;
///     Ok(start.elapsed().as_secs_f64() / 1e6)
/// }
/// ```
pub struct RawCall {
    function: Box<dyn EmptyFunction>,
    // Dropped last, since instances must not outlive their engine.
    _engine: Arc<dyn Engine>,
}

impl Runtime {
    /// Makes a call of an empty function by the engine alone, as a baseline for measuring kernels.
    ///
    /// # Errors
    /// The engine cannot make an instance.
    pub fn raw_call(&self) -> Result<RawCall, Error> {
        RawCall::new(self.engine())
    }
}

impl RawCall {
    pub(crate) fn new(engine: &Arc<dyn Engine>) -> Result<Self, Error> {
        let refused = |error| Error::uncompiled("(an empty function)", error);
        Ok(Self { function: engine.empty_function().map_err(refused)?, _engine: engine.clone() })
    }

    /// Calls the function this many times.
    ///
    /// # Errors
    /// [`Error::Internal`] if the engine cannot enter the sandbox.
    #[inline]
    pub fn repeat(&mut self, times: u32) -> Result<(), Error> {
        self.function.call(times).map_err(|_| Error::Internal("an empty function failed"))
    }
}

impl fmt::Debug for RawCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCall").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
