//! Why a module cannot be made interruptible.

use wasmparser::Operator;

/// What stands in the way; the module is run with epochs then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The parser cannot read it.
    #[error("it cannot be read at byte {offset}: {message}")]
    Unreadable {
        /// Where, from the start of the module.
        offset: usize,
        /// The parser's words.
        message: String,
    },
    /// Its memory is missing or begins empty, so that there is nothing for a touch to load.
    #[error("it has no page of memory from the start")]
    NoMemory,
    /// An instruction that is not known to leave linear memory to compiled code.
    #[error("it has the instruction {name}")]
    Instruction {
        /// What the parser calls it.
        name: String,
    },
    /// A part that verified modules do not have.
    #[error("it has {what}")]
    Unsupported {
        /// The part.
        what: &'static str,
    },
    /// It is not valid.
    #[error("it is not valid: an index or the height of the stack is wrong")]
    Inconsistent,
}

impl Reason {
    // By value, as `map_err` passes it.
    pub(super) fn unreadable(error: wasmparser::Error) -> Self {
        Self::Unreadable { offset: error.offset(), message: error.message().to_owned() }
    }

    pub(super) fn unknown(operator: &Operator<'_>) -> Self {
        let text = format!("{operator:?}");
        let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        Self::Instruction { name: text[..end].to_owned() }
    }
}
