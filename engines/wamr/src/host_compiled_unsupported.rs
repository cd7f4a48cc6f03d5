//! Stands in without the feature `compile`, where the host compiles nothing.

use kernelpack_compile_cache::CacheOutcome;
use kernelpack_engine::{CompileError, StartError};
use kernelpack_manifest::VerifiedModule;
use semver::Version;

use crate::Wamr;

/// Native code that this host compiled; cannot be constructed.
#[derive(Debug)]
pub(crate) enum HostCompiled {}

impl HostCompiled {
    pub(crate) fn bytes(&self) -> &[u8] {
        match *self {}
    }
}

/// A compiler of native code; cannot be constructed.
#[derive(Debug)]
pub(crate) enum HostCompiler {}

impl HostCompiler {
    pub(crate) fn for_settings(_: &Wamr, _: &Version) -> Result<Option<Self>, StartError> {
        Ok(None)
    }

    pub(crate) fn code(&self, _: &VerifiedModule) -> Result<(HostCompiled, CacheOutcome), CompileError> {
        match *self {}
    }
}

pub(crate) fn is_of_the_module(_: &CompileError) -> bool {
    false
}
