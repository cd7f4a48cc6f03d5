//! Backtraces, which show where a kernel was when it was stopped.
//!
//! Frames are our own type rather than an engine's, so that each engine can report what it knows, or nothing. Function
//! names come from the module, so they are untrusted.

use std::{borrow::Cow, fmt};

/// The number of characters of a function's name that are kept; modules may have names of any length.
const NAME: usize = 128;

/// The functions of a kernel that were active when it was stopped, the innermost first.
///
/// Empty if the kernel returned by itself, or if the engine keeps no backtraces. Wasmtime reports the 20 innermost
/// frames, so a kernel that overflows its stack does not fill the caller's memory with them.
///
/// The packer keeps function names, so a frame names the kernel's function, though not the line.
/// [`module_offset`](BacktraceFrame::module_offset) counts from the start of the packed file, as `wasm-objdump -d`
/// does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backtrace {
    /// The frames, the innermost first.
    pub frames: Vec<BacktraceFrame>,
}

impl Backtrace {
    /// Makes a backtrace of these frames, the innermost first.
    pub fn new(frames: Vec<BacktraceFrame>) -> Self {
        Self { frames }
    }
}

/// One function of a [`Backtrace`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BacktraceFrame {
    /// The function's name, if the module has names; it can contain anything. A name of more than 128 characters is cut
    /// after the first 128, with `…` at the end.
    pub function: Option<String>,
    /// The function's index in the module.
    pub function_index: u32,
    /// The instruction's offset in bytes from the start of the module, if the engine reports it.
    pub module_offset: Option<u64>,
}

impl BacktraceFrame {
    /// Makes a frame for the function with this index, and shortens the name.
    pub fn new(function: Option<&str>, function_index: u32, module_offset: Option<u64>) -> Self {
        let function = function.map(|name| shorten(name, NAME).into_owned());
        Self { function, function_index, module_offset }
    }
}

/// Returns the first `most` characters of a text from a guest, followed by `…` if there are more.
pub fn shorten(words: &str, most: usize) -> Cow<'_, str> {
    match words.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &words[..end])),
        None => Cow::Borrowed(words),
    }
}

impl fmt::Display for Backtrace {
    /// Writes one line, `#3 rotate at 0x1a2 < #7 at 0x9f`; names are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, frame) in self.frames.iter().enumerate() {
            if depth > 0 {
                f.write_str(" < ")?;
            }
            frame.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for BacktraceFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.function_index)?;
        if let Some(function) = &self.function {
            write!(f, " {}", function.escape_debug())?;
        }
        match self.module_offset {
            Some(offset) => write!(f, " at {offset:#x}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
