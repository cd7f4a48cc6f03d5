use super::*;

#[test]
fn a_backtrace_is_one_line_whatever_the_names_are() {
    let frames =
        vec![BacktraceFrame::new(Some("a\u{1b}[31m\nb\u{202e}"), 3, Some(0x1a2)), BacktraceFrame::new(None, 7, None)];
    assert_eq!(Backtrace { frames }.to_string(), r"#3 a\u{1b}[31m\nb\u{202e} at 0x1a2 < #7");
    assert_eq!(Backtrace::default().to_string(), "");
}

#[test]
fn long_names_are_cut_between_characters() {
    let kept = |name: &str| BacktraceFrame::new(Some(name), 0, None).function.unwrap();
    for exact in ["f".repeat(128), "ü".repeat(128), "😀".repeat(128)] {
        assert_eq!(kept(&exact), exact);
        assert_eq!(kept(&format!("{exact}!")), format!("{exact}…"));
    }
    assert_eq!(kept(&"n".repeat(1 << 20)).chars().count(), 129);
    assert_eq!(kept(""), "");
}
