//! Extents as authors write them: symbols, constants and arithmetic on them.

use core::fmt;

/// One extent in a declared shape, such as `dim`, `32`, `dim / 2` or `heads * 2`.
///
/// Symbols are indices into [`Signature::symbols`](crate::Signature::symbols).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dim {
    /// A constant.
    Fixed(u32),
    /// A symbol.
    Symbol(u8),
    /// A symbol divided by a constant, which must divide its value.
    Div(u8, u32),
    /// A symbol times a constant.
    Mul(u8, u32),
}

impl Dim {
    /// Returns the symbol that the extent uses, if any.
    pub const fn symbol(&self) -> Option<u8> {
        match *self {
            Self::Fixed(_) => None,
            Self::Symbol(symbol) | Self::Div(symbol, _) | Self::Mul(symbol, _) => Some(symbol),
        }
    }
}

/// A step of an [`Expr`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Push a constant.
    Const(u32),
    /// Push the value of a symbol.
    Symbol(u8),
    /// Pop two, push their sum.
    Add,
    /// Pop two, push the first minus the second.
    Sub,
    /// Pop two, push their product.
    Mul,
    /// Pop two, push the first divided by the second, rounded down.
    Div,
}

/// The length of a scratch tensor: arithmetic over symbols in reverse Polish order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expr<'a>(pub &'a [Op]);

/// The deepest stack that an [`Expr`] may need.
const MAX_DEPTH: usize = 8;

impl Expr<'_> {
    /// Evaluates the expression with these values of symbols.
    ///
    /// # Errors
    /// The arithmetic leaves 0..=`u32::MAX` or divides by zero, or the expression is malformed.
    #[inline]
    pub fn eval(&self, symbol: impl Fn(u8) -> Option<u32>) -> Result<u32, ExprError> {
        let mut stack = [0u32; MAX_DEPTH];
        let mut depth = 0usize;
        for op in self.0 {
            let value = match *op {
                Op::Const(value) => value,
                Op::Symbol(index) => symbol(index).ok_or(ExprError::Malformed)?,
                Op::Add | Op::Sub | Op::Mul | Op::Div => {
                    depth = depth.checked_sub(2).ok_or(ExprError::Malformed)?;
                    let (a, b) = (stack[depth], stack[depth + 1]);
                    match op {
                        Op::Add => a.checked_add(b),
                        Op::Sub => a.checked_sub(b),
                        Op::Mul => a.checked_mul(b),
                        _ => a.checked_div(b),
                    }
                    .ok_or(ExprError::Arithmetic)?
                }
            };
            *stack.get_mut(depth).ok_or(ExprError::Malformed)? = value;
            depth += 1;
        }
        if depth == 1 { Ok(stack[0]) } else { Err(ExprError::Malformed) }
    }
}

/// The reason why an [`Expr`] has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExprError {
    /// A step went below zero or above `u32::MAX`, or divided by zero.
    Arithmetic,
    /// The steps do not form an expression.
    Malformed,
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arithmetic => "the length overflows, goes below zero or divides by zero",
            Self::Malformed => "the length is not a well-formed expression",
        })
    }
}

impl core::error::Error for ExprError {}

#[cfg(test)]
mod tests;
