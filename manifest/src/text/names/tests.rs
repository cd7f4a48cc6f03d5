use super::*;

#[test]
fn identifiers_are_rusts() {
    let longest = "a".repeat(MAX_NAME_BYTES);
    for good in ["a", "_a", "rope_f32", "X9", longest.as_str()] {
        assert!(is_identifier(good), "{good}");
    }
    let too_long = "a".repeat(MAX_NAME_BYTES + 1);
    for bad in ["", "_", "9a", "a-b", "a b", "é", "a.b", "a\0", too_long.as_str()] {
        assert!(!is_identifier(bad), "{bad}");
    }
}

#[test]
fn texts_are_shown_as_they_are_stored() {
    for good in ["", "RoPE \u{2014} \u{5e9}\u{5dc}\u{5d5}\u{5dd}", "a\n\tb", "\u{202f}\u{206a}"] {
        assert!(is_printable(good), "{good:?}");
    }
    let controls = ['\0', '\r', '\u{1b}', '\u{7f}', '\u{9b}'].into_iter();
    let marks = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter();
    for bad in controls.chain(marks).chain('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
        assert!(!is_printable(&format!("gate{bad}tset")), "{bad:?}");
    }
}
