//! Replaces the compiler where this program was built without LLVM.

use std::path::Path;

use kernelpack_manifest::AotTarget;

use crate::Error;

const NO_LLVM: Error = Error::NoLlvm { missing: env!("KERNELPACK_MISSING") };

/// Reports that there is no compiler.
pub(crate) fn about() -> Result<&'static str, Error> {
    Err(NO_LLVM)
}

/// Reports what is missing.
pub(crate) fn compile(_target: AotTarget, _module: &Path, _file: &Path) -> Result<(), Error> {
    Err(NO_LLVM)
}
