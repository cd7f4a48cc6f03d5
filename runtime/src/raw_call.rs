//! A call of nothing, to measure against.

use std::{fmt, sync::Arc};

use kernelpack_engine::{EmptyFunction, Engine};

use crate::{EngineError, Error, Runtime};

/// A call of an empty function, by the engine alone: no checks, no copies, no deadline. For measuring only.
///
/// [`Runtime::raw_call`](crate::Runtime::raw_call) makes one. What a kernel's call takes beyond it is what Kernelpack
/// adds, and the kernel.
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
    // Dropped last: instances go before their engine.
    _engine: Arc<dyn Engine>,
}

impl Runtime {
    /// A call of an empty function by the engine alone, to measure calls of kernels against.
    ///
    /// # Errors
    /// The engine does not make an instance.
    pub fn raw_call(&self) -> Result<RawCall, Error> {
        RawCall::new(self.engine())
    }
}

impl RawCall {
    pub(crate) fn new(engine: &Arc<dyn Engine>) -> Result<Self, Error> {
        let refused = |source| EngineError::Compile { kernel: "(an empty function)".to_owned(), source };
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
mod tests {
    use crate::{Interruption, Runtime, Wasmtime};

    #[test]
    fn an_empty_function_can_be_called_however_calls_are_stopped() {
        for interruption in [Interruption::BEST, Interruption::Epoch, Interruption::Never] {
            let runtime = Runtime::builder(Wasmtime::new().interruption(interruption)).build().unwrap();
            let mut call = runtime.raw_call().unwrap();
            drop(runtime);
            call.repeat(0).unwrap();
            call.repeat(1000).unwrap();
        }
    }
}
