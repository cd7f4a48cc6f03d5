use super::*;

#[test]
fn names_and_sources_are_split_at_the_first_equals_sign() {
    let arg: InputArg = "x=a=b.safetensors:t".parse().unwrap();
    assert_eq!((arg.name.as_str(), arg.source.as_str()), ("x", "a=b.safetensors:t"));
    for wrong in ["", "x", "x=", "=f", "="] {
        assert!(wrong.parse::<InputArg>().is_err(), "{wrong}");
    }
}

#[test]
fn colons_split_where_a_file_exists() {
    let files = ["f", "f:g", "c:\\f"];
    let split = |source| {
        let (path, tensor) = split(source, |path| files.iter().any(|file| path == Path::new(file)));
        (path.to_str().unwrap().to_owned(), tensor)
    };
    assert_eq!(split("f"), ("f".into(), None));
    assert_eq!(split("f:t"), ("f".into(), Some("t")));
    assert_eq!(split("f:g"), ("f:g".into(), None));
    assert_eq!(split("f:g:t"), ("f:g".into(), Some("t")));
    assert_eq!(split("f:a:b"), ("f".into(), Some("a:b")));
    assert_eq!(split("c:\\f"), ("c:\\f".into(), None));
    assert_eq!(split("c:\\f:t"), ("c:\\f".into(), Some("t")));
    assert_eq!(split("no:t"), ("no".into(), Some("t")));
    assert_eq!(split("no"), ("no".into(), None));
    assert_eq!(split("no:"), ("no:".into(), None));
}
