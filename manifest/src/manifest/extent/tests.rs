use super::*;

#[test]
fn every_form_reads_back() {
    for (json, extent) in [
        ("32", Extent::Fixed(32)),
        ("0", Extent::Fixed(0)),
        ("\"dim\"", Extent::Symbol("dim".into())),
        ("\"dim/2\"", Extent::Div("dim".into(), 2)),
        ("\"dim*4294967295\"", Extent::Mul("dim".into(), u32::MAX)),
    ] {
        assert_eq!(serde_json::from_str::<Extent>(json).unwrap(), extent);
        assert_eq!(serde_json::to_string(&extent).unwrap(), json);
    }
}

#[test]
fn other_texts_are_refused() {
    for text in [
        "",
        "32",
        "2*dim",
        "dim/0",
        "dim*0",
        "dim / 2",
        "dim/02",
        "dim/+2",
        "dim/4294967296",
        "dim/",
        "a/2/2",
        "a-b",
        "é",
    ] {
        let error = text.parse::<Extent>().unwrap_err();
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }
    for json in ["-1", "4294967296", "1.0", "1.5", "null", "true", "[]"] {
        assert!(serde_json::from_str::<Extent>(json).is_err(), "{json}");
    }
}
