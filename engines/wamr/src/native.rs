//! Native code that may be run: the two kinds of it, and no other.

use kernelpack_manifest::{FileBytes, VerifiedAot};

use crate::host_compiled::HostCompiled;

/// Native code for which somebody vouches who may.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "without the feature `compile` nothing can be `HostCompiled`")]
pub(crate) enum NativeCode {
    /// A pack's, signed by a key that was granted native code.
    Granted(VerifiedAot),
    /// This host's, compiled from a verified module.
    HostCompiled(HostCompiled),
}

impl NativeCode {
    /// The file, for a loader that takes it apart.
    pub(crate) fn into_bytes(self) -> FileBytes {
        match self {
            Self::Granted(aot) => aot.into_bytes(),
            Self::HostCompiled(code) => code.bytes().to_vec().into(),
        }
    }
}
