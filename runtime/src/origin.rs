//! Identifies a kernel and its pack in errors, logs and metrics.

use std::sync::Arc;

use kernelpack_engine::Stop;
use semver::Version;

use crate::{
    KernelFailure,
    metrics::{PackInfo, PackLabels},
};

/// A kernel's id and the pack that it came from.
pub(crate) struct Origin {
    pub(crate) kernel: Arc<str>,
    pub(crate) pack: Arc<str>,
    pub(crate) version: Version,
    /// Counts the pack as loaded for as long as one of its kernels exists.
    pub(crate) _info: Arc<PackInfo>,
}

impl Origin {
    /// Returns the metrics labels of the pack.
    pub(crate) fn labels(&self) -> PackLabels<'_> {
        PackLabels { name: &self.pack, version: &self.version }
    }

    /// Makes the error for a call in which this kernel was stopped.
    #[cold]
    pub(crate) fn failure(&self, stop: Stop) -> Box<KernelFailure> {
        let Self { kernel, pack, version, .. } = self;
        let Stop { error, backtrace } = stop;
        let (kernel, pack, version) = (kernel.clone(), pack.clone(), version.clone());
        Box::new(KernelFailure { kernel, pack, version, error, backtrace })
    }
}
