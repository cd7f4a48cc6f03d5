use super::*;

#[test]
fn paths_stay_inside_the_pack() {
    for good in ["a", "rope/rope_f32.wasm", "a/b/c-d.x", "..a", "a/...b"] {
        assert!(check_path(good).is_ok(), "{good}");
    }
    let long = "a".repeat(kernelpack_verify::MAX_PATH_BYTES + 1);
    for bad in [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/./b",
        "a\\b",
        "C:/a",
        "a b",
        "a\0b",
        "é",
        "a./b",
        "~/a",
        long.as_str(),
    ] {
        let error = check_path(bad).unwrap_err();
        assert!(matches!(&error, Rejected::UnsafePath { path } if path == bad), "{bad}: {error}");
    }
}
