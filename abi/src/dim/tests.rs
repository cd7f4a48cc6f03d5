use super::*;

fn eval(ops: &[Op]) -> Result<u32, ExprError> {
    Expr(ops).eval(|index| [7, 4096].get(usize::from(index)).copied())
}

#[test]
fn evaluates_in_reverse_polish_order() {
    use Op::*;
    // (s0 - 3) * s1 / 2
    assert_eq!(eval(&[Symbol(0), Const(3), Sub, Symbol(1), Mul, Const(2), Div]), Ok(8192));
}

#[test]
fn refuses_overflow_and_nonsense() {
    use Op::*;
    assert_eq!(eval(&[Const(u32::MAX), Const(1), Add]), Err(ExprError::Arithmetic));
    assert_eq!(eval(&[Const(1), Const(2), Sub]), Err(ExprError::Arithmetic));
    assert_eq!(eval(&[Const(1), Const(0), Div]), Err(ExprError::Arithmetic));
    assert_eq!(eval(&[]), Err(ExprError::Malformed));
    assert_eq!(eval(&[Add]), Err(ExprError::Malformed));
    assert_eq!(eval(&[Const(1), Const(1)]), Err(ExprError::Malformed));
    assert_eq!(eval(&[Symbol(9)]), Err(ExprError::Malformed));
    assert_eq!(eval(&[Const(1); 9]), Err(ExprError::Malformed));
}
