use serde_json::json;

use super::*;

fn read(table: Value) -> Result<Overrides, String> {
    Overrides::read(&json!({ "kernelpack": table }), Path::new("a/Cargo.toml")).map_err(|error| error.to_string())
}

#[test]
fn every_key_is_read() {
    let read = read(json!({
        "name": "n",
        "version": "1.2.3",
        "description": "d",
        "min-runtime-version": "0.1.0",
        "max-runtime-version": "0.2.0",
        "health-tolerance": 1e-4,
        "scalar-stack-bytes": 65_536,
        "author": { "name": "a", "email": "a@b" },
    }));
    let author = AuthorOverrides { name: Some("a".into()), email: Some("a@b".into()) };
    let expected = Overrides {
        name: Some("n".into()),
        version: Some(Version::new(1, 2, 3)),
        description: Some("d".into()),
        min_runtime_version: Some(Version::new(0, 1, 0)),
        max_runtime_version: Some(Version::new(0, 2, 0)),
        health_tolerance: Some(1e-4),
        scalar_stack_bytes: Some(65_536),
        author,
    };
    assert_eq!(read, Ok(expected));
}

#[test]
fn no_table_is_no_override() {
    let path = Path::new("a/Cargo.toml");
    assert_eq!(Overrides::read(&Value::Null, path).unwrap(), Overrides::default());
    assert_eq!(Overrides::read(&json!({ "docs": {} }), path).unwrap(), Overrides::default());
}

#[test]
fn an_unknown_key_is_refused_with_the_known_ones() {
    assert_eq!(
        read(json!({ "min_runtime_version": "0.1.0" })).unwrap_err(),
        "[package.metadata.kernelpack] of a/Cargo.toml, at min_runtime_version: unknown field \
         `min_runtime_version`, expected one of `name`, `version`, `description`, `min-runtime-version`, \
         `max-runtime-version`, `health-tolerance`, `scalar-stack-bytes`, `author`"
    );
    assert!(read(json!({ "author": { "mail": "a@b" } })).unwrap_err().contains("expected `name` or `email`"));
}

#[test]
fn a_wrong_value_is_refused_with_its_key() {
    assert_eq!(
        read(json!({ "version": "1.2" })).unwrap_err(),
        "[package.metadata.kernelpack] of a/Cargo.toml, at version: unexpected end of input while parsing minor \
         version number"
    );
    assert_eq!(
        read(json!({ "health-tolerance": 1 })).unwrap_err(),
        "[package.metadata.kernelpack] of a/Cargo.toml, at health-tolerance: the tolerance is 1; choose one from 0 \
         (bit for bit) to below 1"
    );
}
