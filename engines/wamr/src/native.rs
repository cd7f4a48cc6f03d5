//! Native code that may be run: a pack's or this host's own.

use kernelpack_manifest::{FileBytes, VerifiedAot};

use crate::host_compiled::HostCompiled;

/// Native code from a trusted source.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "without the feature `compile` nothing can be `HostCompiled`")]
pub(crate) enum NativeCode {
    /// A pack's code, signed by a key that was granted native code.
    Granted(VerifiedAot),
    /// This host's code, compiled from a verified module.
    HostCompiled(HostCompiled),
}

impl NativeCode {
    /// Returns the file's content, for a loader that modifies it.
    pub(crate) fn into_bytes(self) -> FileBytes {
        match self {
            Self::Granted(aot) => aot.into_bytes(),
            Self::HostCompiled(code) => code.bytes().to_vec().into(),
        }
    }
}
