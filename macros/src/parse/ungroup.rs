//! Removes the invisible groups that `macro_rules!` puts around the fragments that it substitutes.
//!
//! If `$t` is a fragment of the kind `ty`, the type in `&[$t]` is a group without delimiters that holds a type. Only what
//! the attribute reads is changed; the body keeps its groups, since they preserve the precedence of operators.

use syn::{Expr, GenericArgument, PathArguments, Type};

/// Removes the groups in the type of a parameter.
pub(super) fn ty(given: &mut Type) {
    while let Type::Group(group) = given {
        *given = (*group.elem).clone();
    }
    match given {
        Type::Reference(reference) => ty(&mut reference.elem),
        Type::Slice(slice) => ty(&mut slice.elem),
        Type::Array(array) => ty(&mut array.elem),
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { continue };
                for argument in &mut arguments.args {
                    if let GenericArgument::Type(argument) = argument {
                        ty(argument);
                    }
                }
            }
        }
        _ => {}
    }
}

/// Removes the groups around an expression, and those around names and literals in it.
///
/// A group around an operation that is an operand stays, since it replaces parentheses.
pub(super) fn expr(given: &mut Expr) {
    while let Expr::Group(group) = given {
        *given = (*group.expr).clone();
    }
    match given {
        Expr::Binary(binary) => {
            operand(&mut binary.left);
            operand(&mut binary.right);
        }
        Expr::Unary(unary) => operand(&mut unary.expr),
        Expr::Paren(paren) => expr(&mut paren.expr),
        Expr::Array(array) => array.elems.iter_mut().for_each(expr),
        _ => {}
    }
}

fn operand(given: &mut Expr) {
    let mut inner = &*given;
    while let Expr::Group(group) = inner {
        inner = &group.expr;
    }
    if matches!(inner, Expr::Binary(_) | Expr::Unary(_)) {
        // The operation's own operands.
        if let Expr::Group(group) = given {
            expr(&mut group.expr);
        }
    } else {
        expr(given);
    }
}
