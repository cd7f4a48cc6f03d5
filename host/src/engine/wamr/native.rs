//! Native code that may be run: the two kinds of it, and no other.

use kernelpack_manifest::VerifiedAot;

use super::own::OwnCode;

/// Native code for which somebody vouches who may.
#[derive(Clone, Copy, Debug)]
pub(super) enum NativeCode<'a> {
    /// A pack's, signed by a key that was granted native code.
    Granted(&'a VerifiedAot),
    /// This host's, compiled from a verified module.
    Own(&'a OwnCode),
}

impl NativeCode<'_> {
    /// The file.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Granted(aot) => aot.bytes(),
            Self::Own(code) => code.bytes(),
        }
    }
}
