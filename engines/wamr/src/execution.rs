//! The choice between interpreting and native code.

/// The choice between interpreting kernels and running them as native code.
///
/// Native code comes from a pack if its signer was granted native code; it must be for this machine, made by the
/// compiler of exactly the same version of WAMR, and with all checks, or the pack is refused. For other kernels, this
/// host compiles the module itself if that was enabled with `Wamr::compile_native`; this takes no grant. If both are
/// possible, the pack's code is run and nothing is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Execution {
    /// Modules are interpreted, whatever else a pack contains, and nothing is compiled. Needs the feature `wamr`.
    Interpreted,
    /// Native code is run; a kernel without it is refused. Needs the feature `wamr-aot`.
    Native,
    /// Native code is run if there is any, else the module is interpreted, including modules that this host's compiler
    /// rejects; a compiler that does not work is an error. If one of the two features is off, only the other way is
    /// used.
    NativeElseInterpreted,
}

impl Execution {
    /// Returns whether modules may be interpreted.
    pub(crate) fn interprets(self) -> bool {
        matches!(self, Self::Interpreted | Self::NativeElseInterpreted)
    }

    /// Returns whether native code may be run.
    pub(crate) fn runs_native(self) -> bool {
        matches!(self, Self::Native | Self::NativeElseInterpreted)
    }
}
