//! Routes WAMR's requests for pages through `pages.rs`, which counts them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg-bins=-Wl,--wrap=os_mmap,--wrap=os_munmap");
    }
}
