//! Extents in `#[shape(...)]` and lengths in `#[scratch(len = ...)]`.

use syn::{BinOp, Error, Expr, ExprBinary, ExprLit, Ident, Lit, Result};

use crate::{
    model::{Dim, Op},
    plain::plain,
};

const FORMS: &str = "an extent is a symbol, a constant, `sym / n` or `sym * n`";

/// Parses an extent: `dim`, `32`, `dim / 2`, `heads * 2`.
pub(super) fn dim(expr: &Expr) -> Result<Dim> {
    match expr {
        Expr::Path(_) => symbol(expr).map(Dim::Symbol),
        Expr::Lit(_) => number(expr).map(Dim::Fixed),
        Expr::Paren(paren) => dim(&paren.expr),
        Expr::Binary(ExprBinary { left, op: BinOp::Div(_), right, .. }) => match (symbol(left), number(right)) {
            (Ok(_), Ok(0)) => Err(Error::new_spanned(right, "a symbol cannot be divided by 0")),
            (Ok(symbol), Ok(by)) => Ok(Dim::Div(symbol, by)),
            _ => Err(Error::new_spanned(expr, FORMS)),
        },
        Expr::Binary(ExprBinary { left, op: BinOp::Mul(_), right, .. }) => match (symbol(left), number(right)) {
            (Ok(_), Ok(0)) => Err(Error::new_spanned(right, "an extent of `sym * 0` is always 0: write `0`")),
            (Ok(symbol), Ok(by)) => Ok(Dim::Mul(symbol, by)),
            _ => match (number(left), symbol(right)) {
                (Ok(by), Ok(symbol)) => Err(Error::new_spanned(expr, format_args!("{FORMS}: write `{symbol} * {by}`"))),
                _ => Err(Error::new_spanned(expr, FORMS)),
            },
        },
        other => Err(Error::new_spanned(other, format_args!("{FORMS}, not `{}`", plain(other)))),
    }
}

/// Parses a length: arithmetic over symbols and constants.
pub(super) fn expr(expr: &Expr) -> Result<Vec<Op>> {
    let mut ops = Vec::new();
    // The evaluator's stack has eight places; right-leaning expressions need one per level.
    if push(expr, &mut ops)? > 8 {
        return Err(Error::new_spanned(
            expr,
            "the length is nested too deeply: it needs more than 8 intermediate values",
        ));
    }
    if ops.len() > 255 {
        return Err(Error::new_spanned(expr, "the length has more than 255 steps"));
    }
    Ok(ops)
}

/// Appends the steps of `expr` and returns the stack depth that they need.
fn push(expr: &Expr, ops: &mut Vec<Op>) -> Result<usize> {
    match expr {
        Expr::Path(_) => ops.push(Op::Symbol(symbol(expr)?)),
        Expr::Lit(_) => ops.push(Op::Const(number(expr)?)),
        Expr::Paren(paren) => return push(&paren.expr, ops),
        Expr::Group(group) => return push(&group.expr, ops),
        Expr::Binary(ExprBinary { left, op, right, .. }) => {
            let op = match op {
                BinOp::Add(_) => Op::Add,
                BinOp::Sub(_) => Op::Sub,
                BinOp::Mul(_) => Op::Mul,
                BinOp::Div(_) => Op::Div,
                other => return Err(Error::new_spanned(other, "a length may only use +, -, * and /")),
            };
            let depth = push(left, ops)?.max(push(right, ops)? + 1);
            ops.push(op);
            return Ok(depth);
        }
        other => {
            let message = format!("a length is arithmetic over shape symbols and constants, not `{}`", plain(other));
            return Err(Error::new_spanned(other, message));
        }
    }
    Ok(1)
}

fn symbol(expr: &Expr) -> Result<Ident> {
    match expr {
        Expr::Path(path) if path.qself.is_none() => match path.path.get_ident() {
            Some(ident) => Ok(ident.clone()),
            None => Err(Error::new_spanned(path, "a symbol is a single name, such as `dim`")),
        },
        other => Err(Error::new_spanned(other, FORMS)),
    }
}

fn number(expr: &Expr) -> Result<u32> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) => match literal.base10_parse() {
            Ok(number) => Ok(number),
            Err(_) => Err(Error::new_spanned(literal, "a constant is a whole number from 0 to 4294967295")),
        },
        other => Err(Error::new_spanned(other, "a constant is a whole number from 0 to 4294967295")),
    }
}
