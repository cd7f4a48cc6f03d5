//! The length of a scratch tensor in the manifest: `"rows*(dim+4)"`.
//!
//! The text is infix; the value is in reverse Polish order, as in the ABI. Writing adds parentheses wherever reading
//! would otherwise give another order of steps, so text that was written is read back as the same steps.

use std::{fmt, str::FromStr};

use kernelpack_abi::{Expr, ExprError, Op};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::text::names::{is_identifier, parse_u32};

/// The most steps a length may have, as in the custom section.
const MAX_STEPS: usize = 255;
/// The most bytes of text that are read, enough for the longest expression with names of ordinary length.
const MAX_TEXT: usize = 32 << 10;

/// A length in reverse Polish order; always well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Length(Vec<Step>);

/// A step of a [`Length`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Push a constant.
    Const(u32),
    /// Push the value of a symbol.
    Symbol(String),
    /// Pop two, push their sum.
    Add,
    /// Pop two, push the first minus the second.
    Sub,
    /// Pop two, push their product.
    Mul,
    /// Pop two, push the first divided by the second, rounded down.
    Div,
}

impl Step {
    /// Returns the operator's sign and precedence.
    fn operator(&self) -> Option<(char, u8)> {
        match self {
            Self::Const(_) | Self::Symbol(_) => None,
            Self::Add => Some(('+', 1)),
            Self::Sub => Some(('-', 1)),
            Self::Mul => Some(('*', 2)),
            Self::Div => Some(('/', 2)),
        }
    }
}

/// The reason why something is not a [`Length`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LengthError {
    /// The text is too long.
    #[error("a length of {size} bytes is too long; the limit is {MAX_TEXT}")]
    TooLong {
        /// Bytes of the text.
        size: usize,
    },
    /// The text is not an expression.
    #[error("the length {text:?} is not an expression: expected {expected} at byte {at}")]
    Syntax {
        /// The text.
        text: String,
        /// Offset in the text.
        at: usize,
        /// What is expected there.
        expected: &'static str,
    },
    /// A word is neither a symbol's name nor a constant.
    #[error("in the length {text:?}, {word:?} is neither a name nor a number from 0 to 4294967295")]
    Word {
        /// The text.
        text: String,
        /// The word.
        word: String,
    },
    /// There are more steps than the custom section can hold.
    #[error("a length of {steps} steps is too long; the limit is {MAX_STEPS}")]
    TooManySteps {
        /// Operands and operators.
        steps: usize,
    },
    /// The steps need a deeper stack than the ABI has, or do not form an expression.
    #[error("the length is malformed or needs a stack of more than eight values; move its innermost part to the front")]
    TooDeep,
}

impl Length {
    /// Makes a length from these steps.
    ///
    /// # Errors
    /// The steps do not form an expression that the ABI can evaluate.
    pub fn new(steps: Vec<Step>) -> Result<Self, LengthError> {
        if steps.len() > MAX_STEPS {
            return Err(LengthError::TooManySteps { steps: steps.len() });
        }
        let ops: Vec<Op> = steps.iter().map(|step| step.to_op(|_| Some(0)).unwrap_or(Op::Symbol(0))).collect();
        // Only the form matters here, so the arithmetic may fail.
        if Expr(&ops).eval(|_| Some(1)) == Err(ExprError::Malformed) {
            return Err(LengthError::TooDeep);
        }
        Ok(Self(steps))
    }

    /// Returns the steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl Step {
    /// Returns the step in the ABI's form; `None` if `symbol` does not know its name.
    pub(crate) fn to_op(&self, symbol: impl FnOnce(&str) -> Option<u8>) -> Option<Op> {
        Some(match self {
            Self::Const(value) => Op::Const(*value),
            Self::Symbol(name) => Op::Symbol(symbol(name)?),
            Self::Add => Op::Add,
            Self::Sub => Op::Sub,
            Self::Mul => Op::Mul,
            Self::Div => Op::Div,
        })
    }

    /// Returns the step with the symbol's name; `None` if the symbol is not among `symbols`.
    pub(crate) fn from_op(op: Op, symbols: &[String]) -> Option<Self> {
        Some(match op {
            Op::Const(value) => Self::Const(value),
            Op::Symbol(index) => Self::Symbol(symbols.get(usize::from(index))?.clone()),
            Op::Add => Self::Add,
            Op::Sub => Self::Sub,
            Op::Mul => Self::Mul,
            Op::Div => Self::Div,
        })
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Operands bind more tightly than any operator.
        const OPERAND: u8 = 3;
        let mut stack: Vec<(String, u8)> = Vec::new();
        for step in &self.0 {
            let item = match step {
                Step::Const(value) => (value.to_string(), OPERAND),
                Step::Symbol(name) => (name.clone(), OPERAND),
                operator => {
                    let (right, left) = (stack.pop().ok_or(fmt::Error)?, stack.pop().ok_or(fmt::Error)?);
                    let (sign, binds) = operator.operator().ok_or(fmt::Error)?;
                    let wrap = |(text, own): (String, u8), least| if own < least { format!("({text})") } else { text };
                    // Operators of equal precedence are left-associative, so a right operand of equal precedence needs
                    // parentheses.
                    (format!("{}{sign}{}", wrap(left, binds), wrap(right, binds + 1)), binds)
                }
            };
            stack.push(item);
        }
        stack.iter().try_for_each(|(text, _)| f.write_str(text))
    }
}

/// An item of the shunting-yard algorithm that waits for its right operand.
enum Waiting {
    Operator(Step),
    Parenthesis,
}

impl FromStr for Length {
    type Err = LengthError;

    /// Reads an infix expression, with a stack on the heap, so that deep nesting cannot exhaust the thread's.
    fn from_str(text: &str) -> Result<Self, LengthError> {
        if text.len() > MAX_TEXT {
            return Err(LengthError::TooLong { size: text.len() });
        }
        let syntax = |at, expected| LengthError::Syntax { text: text.to_owned(), at, expected };
        let mut steps = Vec::new();
        let mut waiting = Vec::new();
        let mut after_operand = false;
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let byte = rest.as_bytes()[0];
            let mut len = 1;
            match byte {
                b' ' => {}
                b'(' if !after_operand => waiting.push(Waiting::Parenthesis),
                b')' if after_operand => loop {
                    match waiting.pop() {
                        Some(Waiting::Operator(step)) => steps.push(step),
                        Some(Waiting::Parenthesis) => break,
                        None => return Err(syntax(at, "an operator or the end, since no parenthesis is open,")),
                    }
                },
                b'+' | b'-' | b'*' | b'/' if after_operand => {
                    let step = match byte {
                        b'+' => Step::Add,
                        b'-' => Step::Sub,
                        b'*' => Step::Mul,
                        _ => Step::Div,
                    };
                    while let Some(Waiting::Operator(earlier)) = waiting.last() {
                        if earlier.operator().map(|(_, binds)| binds) < step.operator().map(|(_, binds)| binds) {
                            break;
                        }
                        if let Some(Waiting::Operator(earlier)) = waiting.pop() {
                            steps.push(earlier);
                        }
                    }
                    waiting.push(Waiting::Operator(step));
                    after_operand = false;
                }
                b'+' | b'-' | b'*' | b'/' | b')' => return Err(syntax(at, "a name, a number or \"(\"")),
                b'(' => return Err(syntax(at, "an operator")),
                _ if after_operand => return Err(syntax(at, "an operator")),
                _ => {
                    let word = &rest[..rest.find([' ', '(', ')', '+', '-', '*', '/']).unwrap_or(rest.len())];
                    len = word.len();
                    steps.push(match parse_u32(word) {
                        Some(value) => Step::Const(value),
                        None if is_identifier(word) => Step::Symbol(word.to_owned()),
                        None => return Err(LengthError::Word { text: text.to_owned(), word: word.to_owned() }),
                    });
                    after_operand = true;
                }
            }
            at += len;
        }
        if !after_operand {
            return Err(syntax(at, "a name, a number or \"(\""));
        }
        while let Some(top) = waiting.pop() {
            match top {
                Waiting::Operator(step) => steps.push(step),
                Waiting::Parenthesis => return Err(syntax(at, "\")\"")),
            }
        }
        Self::new(steps)
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
