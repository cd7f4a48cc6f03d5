use kernelpack_engine::Engine as _;

use super::*;

#[test]
fn the_version_is_that_of_the_lock_file() {
    let lock = include_str!("../../../Cargo.lock");
    assert!(lock.contains(&format!("name = \"wasmtime\"\nversion = \"{VERSION}\"")), "update VERSION");
}

/// The engine supports exactly the features that kernels may use, since modules are not checked for any other.
#[test]
fn the_engine_has_on_what_kernels_may_use() {
    assert_eq!(Wasmtime::new().start_engine().unwrap().features(), kernelpack_manifest::FEATURES);
}
