//! How much work a module's code is for a compiler.
//!
//! Compiling is the one thing that a signer could make as slow as they like, so it is bounded before it begins. Most of
//! the time goes with the bytes of the code; a compiler's analyses take more than their share for large functions, for
//! many of them, and for variables that live across many branches.

use std::ops::Range;

use wasmparser::{Error, FunctionBody, Operator};

use crate::ModuleFault;

/// The most bytes of a module's code.
pub const MAX_CODE_BYTES: usize = 512 << 10;
/// The most functions of a module.
pub const MAX_FUNCTIONS: u32 = 4096;
/// The most bytes of a function.
pub const MAX_FUNCTION_BYTES: usize = 64 << 10;
/// The most of all functions' locals, each function's times its blocks, loops and ifs.
pub const MAX_TANGLE: u64 = 1 << 18;

/// What counts of a module's code, added up function by function.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) bytes: usize,
    functions: u32,
    tangle: u64,
    /// The first function that is larger than it may be.
    too_large: Option<(u32, usize)>,
}

impl Code {
    /// The section begins.
    pub(crate) fn start(&mut self, functions: u32, range: &Range<usize>) {
        (self.functions, self.bytes) = (functions, range.len());
    }

    /// Counts the next function, if the module may have it at all: what is refused need not be looked at.
    pub(crate) fn add(&mut self, index: u32, body: &FunctionBody<'_>) -> Result<(), Error> {
        if self.bytes > MAX_CODE_BYTES || self.too_large.is_some() {
            return Ok(());
        }
        let size = body.range().len();
        if size > MAX_FUNCTION_BYTES {
            self.too_large = Some((index, size));
            return Ok(());
        }
        let mut locals = 0u64;
        for group in body.get_locals_reader()? {
            locals += u64::from(group?.0);
        }
        let mut structures = 0;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let structure = matches!(
                operators.read()?,
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } | Operator::Else
            );
            structures += u64::from(structure);
        }
        self.tangle = self.tangle.saturating_add(locals.saturating_mul(structures));
        Ok(())
    }

    /// Whether it is more than a kernel may ask for.
    pub(crate) fn check(&self) -> Result<(), ModuleFault> {
        let too_much = |what, found, limit| Err(ModuleFault::TooMuchCode { what, found, limit });
        if self.bytes > MAX_CODE_BYTES {
            return too_much("bytes of code", self.bytes as u64, MAX_CODE_BYTES as u64);
        }
        if self.functions > MAX_FUNCTIONS {
            return too_much("functions", u64::from(self.functions), u64::from(MAX_FUNCTIONS));
        }
        if let Some((index, size)) = self.too_large {
            return Err(ModuleFault::FunctionTooLarge { index, size, limit: MAX_FUNCTION_BYTES });
        }
        if self.tangle > MAX_TANGLE {
            return too_much("locals times branches", self.tangle, MAX_TANGLE);
        }
        Ok(())
    }
}
