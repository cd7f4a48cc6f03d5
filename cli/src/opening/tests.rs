use super::*;

#[test]
fn the_default_is_in_the_users_folder_for_caches() {
    let of = |xdg: Option<&str>, home: Option<&str>| cache_of(xdg.map(OsStr::new), home.map(PathBuf::from));
    assert_eq!(of(Some("/x"), Some("/h")), Some("/x/kernelpack".into()));
    for ignored in [None, Some(""), Some("x")] {
        assert_eq!(of(ignored, Some("/h")), Some("/h/.cache/kernelpack".into()));
        assert_eq!(of(ignored, None), None);
        assert_eq!(of(ignored, Some("")), None);
    }
}
