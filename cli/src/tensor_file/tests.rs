use std::fs;

use super::*;

fn open(bytes: &[u8]) -> Result<TensorFile, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t");
    fs::write(&path, bytes).unwrap();
    TensorFile::open(&path).map_err(|error| error.replace(&path.display().to_string(), "t"))
}

fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

const HEADER: &str =
    r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"F16","shape":[1,1],"data_offsets":[2,4]}}"#;

#[test]
fn each_tensor_has_its_bytes() {
    let file = open(&with_header(HEADER, &[1, 2, 3, 4])).unwrap();
    assert_eq!(file.names(), ["a", "b"]);
    assert_eq!(file.read(file.info("b").unwrap()), Ok(vec![3, 4]));
    assert_eq!(file.read(file.info("a").unwrap()), Ok(vec![1, 2]));
    assert!(file.info("c").is_none());
    assert!(open(&with_header("{}", &[])).unwrap().names().is_empty());
}

#[test]
fn other_files_are_refused() {
    for (bytes, says) in [
        (vec![], "shorter than any header"),
        (vec![0; 7], "shorter than any header"),
        (vec![0xff; 64], "longer than the file or the format allows"),
        (with_header("x", &[]), "expected value"),
        (with_header(HEADER, &[1, 2, 3]), "metadata"),
        (with_header(HEADER, &[0; 5]), "metadata"),
        (with_header(&HEADER.replace("[2,4]", "[2,5]"), &[0; 5]), "invalid shape"),
        (with_header(&HEADER.replace("[2,4]", "[1,3]"), &[0; 3]), "invalid offset"),
        (with_header(&HEADER.replace("\"b\"", "\"\\u0061\""), &[0; 4]), "it has the key \"a\" twice in one object"),
        (
            with_header(r#"{"__metadata__":{"k":"1","k":"2"}}"#, &[]),
            "it has the key \"k\" twice in one object (line 1 column 28); keep one",
        ),
    ] {
        let said = open(&bytes).unwrap_err();
        assert!(said.starts_with("t is not a safetensors file: ") && said.contains(says), "{said}");
    }
}
