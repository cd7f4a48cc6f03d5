//! Which kernel of which pack something is about, for errors, logs and metrics.

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
    /// The metrics labels of the pack.
    pub(crate) fn labels(&self) -> PackLabels<'_> {
        PackLabels { name: &self.pack, version: &self.version }
    }

    /// The error of this kernel that was stopped.
    #[cold]
    pub(crate) fn failure(&self, stop: Stop) -> Box<KernelFailure> {
        let Self { kernel, pack, version, .. } = self;
        let Stop { error, backtrace } = stop;
        let (kernel, pack, version) = (kernel.clone(), pack.clone(), version.clone());
        Box::new(KernelFailure { kernel, pack, version, error, backtrace })
    }
}
