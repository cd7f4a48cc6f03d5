//! Whether an engine interprets or runs native code.

/// Whether kernels are interpreted or run as native code.
///
/// Native code is a pack's, if its signer may vouch for such; it must be for this machine, made by the compiler of the very
/// same version of WAMR, and with all checks, or the pack is refused. Of a kernel without such, it is what this host
/// compiles itself from the module, which takes no grant, if it was told to with `Wamr::compile_native`. Where
/// there could be both, the pack's is run and nothing compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Execution {
    /// Modules are interpreted, whatever else a pack has, and nothing is compiled. Needs the feature `wamr`.
    Interpreted,
    /// Native code is run; a kernel of which there is none is refused. Needs the feature `wamr-aot`.
    Native,
    /// Native code is run where there is any, else the module is interpreted: also where this host was
    /// to compile it and it cannot be had as native code, but not if the compiler does not work. Without one of the
    /// two features, only the other is done.
    NativeElseInterpreted,
}

impl Execution {
    /// Whether modules may be interpreted.
    pub(crate) fn interprets(self) -> bool {
        matches!(self, Self::Interpreted | Self::NativeElseInterpreted)
    }

    /// Whether native code may be run.
    pub(crate) fn runs_native(self) -> bool {
        matches!(self, Self::Native | Self::NativeElseInterpreted)
    }
}
