//! Why a pack got no native code.

use kernelpack_wamr_driver::CompilerError;

use crate::{error::BuildError, sign_error::SignError};

/// Why nothing was compiled; the pack is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AotError {
    /// No machine was named.
    #[error("no target; name one or more of x86_64, aarch64, thumbv7em, thumbv7")]
    NoTargets,
    /// The compiler is not there, refuses a module, or does not do what it should.
    #[error(transparent)]
    Compiler(#[from] CompilerError),
    /// The pack is not one that may be signed, or not signed by a key that is trusted.
    #[error(transparent)]
    Pack(#[from] SignError),
    /// The new pack cannot take the place of the old one.
    #[error(transparent)]
    Write(BuildError),
}
