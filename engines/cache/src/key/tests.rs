use super::*;

#[test]
fn everything_counts() {
    let version = semver::Version::new(1, 2, 3);
    let one = Fingerprint::new("engine", &version, ("fast", 1));
    assert_eq!(one, Fingerprint::new("engine", &version, ("fast", 1)));
    let others = [
        Fingerprint::new("engines", &version, ("fast", 1)),
        Fingerprint::new("engine", &semver::Version::new(1, 2, 4), ("fast", 1)),
        Fingerprint::new("engine", &version, ("fast", 2)),
        Fingerprint::new("engine", &version, ("slow", 1)),
    ];
    let names: std::collections::BTreeSet<_> =
        others.iter().chain([&one]).map(|engine| Key::of([7; 32], *engine).name()).collect();
    assert_eq!(names.len(), 5);
    assert_ne!(Key::of([7; 32], one), Key::of([8; 32], one));
    assert!(names.iter().all(|name| name.len() == 64));
}
