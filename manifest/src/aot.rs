//! The manifest's entry for a module that was compiled ahead of time.

pub(crate) mod facts;
pub(crate) mod fault;
pub(crate) mod target;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::{AotTarget, Digest, KernelFault};

/// The most bytes that one ahead-of-time compiled file may have.
pub const MAX_AOT_BYTES: usize = 16 << 20;
/// The most bytes that one option may have.
const MAX_OPTION_BYTES: usize = 64;
/// The most options that one file may have.
const MAX_OPTIONS: usize = 32;

/// The checks that native code must contain, by their names in [`AotFile::options`].
///
/// Native code runs outside any sandbox, so it must itself check that accesses stay inside the memory and calls inside
/// the stack, and that loops end when the call is stopped.
pub const AOT_CHECKS: [&str; 3] = ["bounds-checks", "stack-checks", "termination-checks"];

/// A module of a kernel, compiled ahead of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AotFile {
    /// The machine that the file is for.
    pub target: AotTarget,
    /// The file, relative to the pack.
    pub path: String,
    /// The digest of the file's bytes.
    pub hash: Digest,
    /// The digest of the module that the file was compiled from.
    pub source: Digest,
    /// The version of the compiler, which is also that of the engine, WAMR.
    pub version: Version,
    /// The options that the file was compiled with, which include all of [`AOT_CHECKS`].
    pub options: Vec<String>,
}

impl AotFile {
    /// Checks the options alone. [`Manifest::validate`](crate::Manifest::validate) checks how the file relates to other
    /// entries.
    pub(crate) fn check(&self) -> Result<(), KernelFault> {
        let fits = |option: &String| {
            let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-=.".contains(&byte);
            !option.is_empty() && option.len() <= MAX_OPTION_BYTES && option.bytes().all(word)
        };
        let repeated = |at: usize| self.options[..at].contains(&self.options[at]);
        let bad = |at: &usize| !fits(&self.options[*at]) || repeated(*at) || *at >= MAX_OPTIONS;
        if let Some(at) = (0..self.options.len()).find(bad) {
            let (target, option) = (self.target, self.options[at].clone());
            return Err(KernelFault::BadAotOption { target, option });
        }
        match missing_check(&self.options) {
            Some(check) => Err(KernelFault::UncheckedAot { target: self.target, check }),
            None => Ok(()),
        }
    }
}

/// Returns the first of [`AOT_CHECKS`] that is missing from the options.
pub(crate) fn missing_check(options: &[String]) -> Option<&'static str> {
    AOT_CHECKS.into_iter().find(|check| !options.iter().any(|option| option == check))
}
