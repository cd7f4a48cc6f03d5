//! Native code that may be run: the two kinds of it, and no other.

use kernelpack_manifest::{FileBytes, VerifiedAot};

use super::own::OwnCode;

/// Native code for which somebody vouches who may.
#[derive(Debug)]
pub(super) enum NativeCode {
    /// A pack's, signed by a key that was granted native code.
    Granted(VerifiedAot),
    /// This host's, compiled from a verified module.
    Own(OwnCode),
}

impl NativeCode {
    /// The file, for a loader that takes it apart.
    pub(super) fn into_bytes(self) -> FileBytes {
        match self {
            Self::Granted(aot) => aot.into_bytes(),
            Self::Own(code) => code.bytes().to_vec().into(),
        }
    }
}
