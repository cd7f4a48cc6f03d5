use proptest::prelude::*;

use super::*;

fn steps(text: &str) -> Vec<Step> {
    text.parse::<Length>().unwrap_or_else(|error| panic!("{error}")).0
}

fn symbol(name: &str) -> Step {
    Step::Symbol(name.to_owned())
}

#[test]
fn infix_becomes_reverse_polish() {
    use Step::*;
    assert_eq!(steps("rows*(dim+4)"), [symbol("rows"), symbol("dim"), Const(4), Add, Mul]);
    assert_eq!(steps("a-b-c"), [symbol("a"), symbol("b"), Sub, symbol("c"), Sub]);
    assert_eq!(steps("a-(b-c)"), [symbol("a"), symbol("b"), symbol("c"), Sub, Sub]);
    assert_eq!(steps("1+2*3"), [Const(1), Const(2), Const(3), Mul, Add]);
    assert_eq!(steps("2*3+1"), [Const(2), Const(3), Mul, Const(1), Add]);
    assert_eq!(steps("8/2*3"), [Const(8), Const(2), Div, Const(3), Mul]);
    assert_eq!(steps(" ( ( n ) ) "), [symbol("n")]);
    assert_eq!(steps("4294967295"), [Const(u32::MAX)]);
}

#[test]
fn parentheses_are_written_where_they_matter_only() {
    for text in ["n", "a+b+c", "a+(b+c)", "a*b+c", "a*(b+c)", "a/(b*c)", "a*b/c", "a/(b/c)", "(a-b)*2", "a-(b+c)"] {
        assert_eq!(text.parse::<Length>().unwrap().to_string(), text);
    }
    for (text, plain) in [("((a))", "a"), ("(a*b)+c", "a*b+c"), ("(a + b) + c", "a+b+c"), ("a+(b*c)", "a+b*c")] {
        assert_eq!(text.parse::<Length>().unwrap().to_string(), plain);
    }
}

#[test]
fn other_texts_are_refused() {
    for (text, at) in [
        ("", 0),
        ("  ", 2),
        ("a+", 2),
        ("+a", 0),
        ("-1", 0),
        ("a b", 2),
        ("a(b)", 1),
        ("(a", 2),
        ("a)", 1),
        ("()", 1),
        ("a**b", 2),
        ("a+*b", 2),
        ("2 3", 2),
    ] {
        let found = text.parse::<Length>();
        assert!(matches!(&found, Err(LengthError::Syntax { at: found, .. }) if *found == at), "{text:?}: {found:?}");
    }
    for (text, word) in
        [("a%b", "a%b"), ("4294967296", "4294967296"), ("01", "01"), ("é+1", "é"), ("1.5", "1.5"), ("a,b", "a,b")]
    {
        let found = text.parse::<Length>();
        assert!(matches!(&found, Err(LengthError::Word { word: found, .. }) if found == word), "{text:?}: {found:?}");
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let sum = vec!["1"; 128].join("+");
    assert_eq!(steps(&sum).len(), 255);
    assert_eq!(format!("{sum}+1").parse::<Length>(), Err(LengthError::TooManySteps { steps: 257 }));
    // Eight values fill the ABI's stack; one more does not fit.
    let nested = |depth: usize| format!("{}1{}", "1+(".repeat(depth), ")".repeat(depth));
    assert_eq!(steps(&nested(7)).len(), 15);
    assert_eq!(nested(8).parse::<Length>(), Err(LengthError::TooDeep));
    // Parentheses alone use neither the ABI's stack nor the reader's.
    let wrapped = format!("{}n{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(steps(&wrapped), [symbol("n")]);
    assert!(matches!("(".repeat(MAX_TEXT).parse::<Length>(), Err(LengthError::Syntax { .. })));
    assert_eq!("(".repeat(MAX_TEXT + 1).parse::<Length>(), Err(LengthError::TooLong { size: MAX_TEXT + 1 }));
}

#[test]
fn steps_that_are_no_expression_are_refused() {
    assert_eq!(Length::new(vec![]), Err(LengthError::TooDeep));
    assert_eq!(Length::new(vec![Step::Add]), Err(LengthError::TooDeep));
    assert_eq!(Length::new(vec![Step::Const(1), Step::Const(1)]), Err(LengthError::TooDeep));
    assert_eq!(Length::new(vec![Step::Const(1); 256]), Err(LengthError::TooManySteps { steps: 256 }));
}

#[test]
fn json_is_a_text() {
    let length: Length = serde_json::from_str("\"2*n\"").unwrap();
    assert_eq!(serde_json::to_string(&length).unwrap(), "\"2*n\"");
    assert!(serde_json::from_str::<Length>("2").is_err());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ab01 ()+*/-]{0,40}") {
        if let Ok(length) = text.parse::<Length>() {
            prop_assert_eq!(length.to_string().parse::<Length>(), Ok(length));
        }
    }
}
