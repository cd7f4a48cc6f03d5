//! The reasons why a module cannot be made interruptible.

use wasmparser::Operator;

/// The reason why a module cannot be made interruptible; it is run with epochs instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The parser cannot read the module.
    #[error("it cannot be read at byte {offset}: {message}")]
    Unreadable {
        /// The offset from the start of the module.
        offset: usize,
        /// The parser's message.
        message: String,
    },
    /// The module's memory is missing or initially empty, so a touch has nothing to load.
    #[error("it has no page of memory from the start")]
    NoMemory,
    /// An instruction that may access linear memory outside of compiled code.
    #[error("it has the instruction {name}")]
    Instruction {
        /// The parser's name for it.
        name: String,
    },
    /// A part that verified modules do not have.
    #[error("it has {what}")]
    Unsupported {
        /// The part.
        what: &'static str,
    },
    /// The module is invalid.
    #[error("it is not valid: an index or the height of the stack is wrong")]
    Inconsistent,
}

impl Reason {
    // Takes the error by value, since `map_err` passes it so.
    pub(super) fn unreadable(error: wasmparser::Error) -> Self {
        Self::Unreadable { offset: error.offset(), message: error.message().to_owned() }
    }

    pub(super) fn unknown(operator: &Operator<'_>) -> Self {
        let text = format!("{operator:?}");
        let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        Self::Instruction { name: text[..end].to_owned() }
    }
}
