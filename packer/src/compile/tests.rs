use super::*;

#[test]
fn a_path_of_the_machine_is_found_in_bytes() {
    let machine = ["/".into(), "/home/a".into(), "/home/b".into()];
    assert_eq!(machine_path(b"\0\x01/home/b/src/lib.rs\0", &machine), Some(Path::new("/home/b")));
    assert_eq!(machine_path(b"/workspace/src/lib.rs", &machine), None);
    assert_eq!(machine_path(b"", &machine), None);
}

#[test]
fn settings_of_the_environment_do_not_reach_the_compiler() {
    let mut command = Command::new("cargo");
    let flags = Build::Simd.flags();
    pin_settings(&mut command, &flags, &[("/home/a b".into(), "/workspace".into())]);
    let value = |name: &str| command.get_envs().find(|(key, _)| *key == name).and_then(|(_, value)| value);
    assert_eq!(
        value("CARGO_ENCODED_RUSTFLAGS").unwrap(),
        format!("{}\u{1f}--remap-path-prefix=/home/a b=/workspace", flags.join("\u{1f}")).as_str()
    );
    assert!(command.get_envs().any(|(key, value)| key == "RUSTFLAGS" && value.is_none()));
    assert_eq!(value("CARGO_PROFILE_RELEASE_LTO").unwrap(), "fat");
}
