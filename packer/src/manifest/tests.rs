use super::*;

#[test]
fn authors_are_split() {
    assert_eq!(split_author("A B <a@b.c>"), ("A B", Some("a@b.c")));
    assert_eq!(split_author(" A B "), ("A B", None));
    assert_eq!(split_author("A <>"), ("A", None));
    assert_eq!(split_author("<a@b.c>"), ("", Some("a@b.c")));
    assert_eq!(split_author("A < B"), ("A < B", None));
}
