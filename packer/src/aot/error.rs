//! The reasons why no native code was added to a pack.

use kernelpack_wamr_driver::CompilerError;

use crate::{error::BuildError, sign_error::SignError};

/// The reason why no native code was added to a pack, which is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AotError {
    /// No target was named.
    #[error("no target; name one or more of x86_64, aarch64, thumbv7em, thumbv7")]
    NoTargets,
    /// The compiler is missing, rejects a module, or misbehaves.
    #[error(transparent)]
    Compiler(#[from] CompilerError),
    /// The pack cannot be signed, or no trusted key has signed it.
    #[error(transparent)]
    Pack(#[from] SignError),
    /// The new pack cannot replace the old one.
    #[error(transparent)]
    Write(BuildError),
}
