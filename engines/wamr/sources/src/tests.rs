use serde_json::json;

use super::*;

#[test]
fn the_packaged_sources_are_found_and_have_a_version() {
    let root = packaged().unwrap();
    let header = fs::read_to_string(root.join("core/version.h")).unwrap();
    assert_eq!(version_of(&header).as_deref(), Some("2.4.3"));
}

#[test]
fn a_header_that_lacks_a_number_has_no_version() {
    let header = "#define WAMR_VERSION_MAJOR 2\n#define WAMR_VERSION_MINOR 4\n";
    assert_eq!(version_of(header), None);
    assert_eq!(version_of(&format!("{header}#define WAMR_VERSION_PATCH 3\n")).as_deref(), Some("2.4.3"));
}

#[test]
fn a_tree_without_the_package_has_no_folder() {
    assert_eq!(folder_in(&json!({})), None);
    assert_eq!(folder_in(&json!({ "packages": [{ "name": "other", "manifest_path": "/a/Cargo.toml" }] })), None);
    let tree = json!({ "packages": [{ "name": "wamrx-sys", "manifest_path": "/a/Cargo.toml" }] });
    assert_eq!(folder_in(&tree), Some(PathBuf::from("/a/wasm-micro-runtime")));
}
