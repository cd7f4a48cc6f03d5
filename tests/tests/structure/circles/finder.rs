//! Tests the finder of circles on made-up trees.

use crate::{graph::Imports, tree::Tree};

/// Returns the circles in a crate with these files, the first of which is its root.
fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let sources = files.iter().map(|(name, text)| (format!("src/{name}"), (*text).to_owned())).collect();
    let mut imports = Imports::default();
    imports.add(&Tree::read(&sources, &format!("src/{}", files[0].0)));
    imports.circles().iter().map(|circle| imports.describe(circle)).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn two_files_that_import_each_other_are_a_circle() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::Foo; pub struct Bar(Foo);"),
        ("b.rs", "pub struct Foo; impl Foo { pub fn bar() -> super::a::Bar { super::a::Bar(Foo) } }"),
    ];
    assert_eq!(circles(&files), ["src/a.rs -> src/b.rs (Foo) -> src/a.rs (Bar)"]);
}

#[test]
fn imports_in_one_direction_are_not_a_circle() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; pub use a::Top;"),
        ("a.rs", "use crate::{b::Foo, c::Bar}; pub struct Top(Foo, Bar);"),
        ("b.rs", "use super::c::Bar; pub struct Foo(Bar);"),
        ("c.rs", "pub struct Bar; impl Bar { fn this(&self) -> &self::Bar { self } }"),
    ];
    assert_eq!(circles(&files), NONE);
}

#[test]
fn a_circle_of_three_is_found_once() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; pub struct A(Box<B>);"),
        ("b.rs", "use crate::c::C; pub struct B(C);"),
        ("c.rs", "use crate::a::A; pub struct C(A);"),
    ];
    assert_eq!(circles(&files), ["src/a.rs -> src/b.rs (B) -> src/c.rs (C) -> src/a.rs (A)"]);
}

#[test]
fn names_that_the_root_or_a_parent_exports_are_those_of_the_files_that_define_them() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use crate::b::parts::*; pub use a::Bar as Baz;"),
        ("a.rs", "use crate::Foo; pub struct Bar(Foo);"),
        ("b.rs", "pub(crate) mod parts; mod user; pub(crate) use self::user::user;"),
        ("b/parts.rs", "pub struct Foo; fn f(_: super::Renamed) {} "),
        ("b/user.rs", "use crate::Baz; pub(crate) fn user() { Baz }"),
    ];
    assert_eq!(circles(&files), NONE);
    let renamed = "pub(crate) mod parts; mod user; use crate::Baz as Renamed;";
    let files = files.map(|(name, text)| (name, if name == "b.rs" { renamed } else { text }));
    assert_eq!(circles(&files), ["src/a.rs -> src/b/parts.rs (Foo) -> src/a.rs (Renamed)"]);
}

#[test]
fn a_module_and_what_it_holds_belong_together() {
    let files = [
        ("lib.rs", "mod a; use a::A; pub struct Root(A);"),
        ("a.rs", "mod inner; use inner::Inner; pub struct A(Inner);"),
        ("a/inner.rs", "use super::A; use crate::Root; pub struct Inner(Box<A>, Box<Root>);"),
    ];
    assert_eq!(circles(&files), NONE);
}

#[test]
fn what_is_compiled_for_tests_only_does_not_count() {
    let a = "use crate::b::Foo; pub struct Bar(Foo);";
    for b in [
        "pub struct Foo; #[cfg(test)] mod tests { use crate::a::Bar; }",
        "pub struct Foo; #[cfg(all(test, unix))] use crate::a::Bar;",
        "pub struct Foo; impl Foo { #[cfg(test)] fn bar() -> crate::a::Bar { crate::a::Bar(Foo) } }",
        "pub struct Foo; fn f() { #[cfg(test)] crate::a::bar(); }",
        "pub struct Foo; #[cfg(test)] mod tests;",
    ] {
        let files = [("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b), ("b/tests.rs", "use crate::a::Bar;")];
        assert_eq!(circles(&files), NONE, "{b}");
    }
    let b = "pub struct Foo; #[cfg(any(test, unix))] use crate::a::Bar;";
    assert_eq!(circles(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", b)]).len(), 1);
}

#[test]
fn modules_are_found_where_the_compiler_finds_them() {
    let files = [
        ("lib.rs", "mod a; #[path = \"other.rs\"] mod b; mod deep { pub(crate) mod c; }"),
        ("a/mod.rs", "pub(crate) mod inner; use crate::b::B;"),
        ("a/inner.rs", "pub(crate) struct Inner;"),
        ("other.rs", "use crate::deep::c::C; pub(crate) struct B(C);"),
        ("deep/c.rs", "use crate::a::inner::Inner; use crate::b; pub(crate) struct C(Inner, Box<b::B>);"),
    ];
    assert_eq!(circles(&files), ["src/deep/c.rs -> src/other.rs (B, b) -> src/deep/c.rs (C)"]);
}

#[test]
fn a_module_that_is_another_file_on_each_system_is_all_of_them() {
    let lib = "mod a; #[cfg_attr(unix, path = \"unix.rs\")] #[cfg_attr(not(unix), path = \"other.rs\")] mod b;";
    let files = [
        ("lib.rs", lib),
        ("a.rs", "use crate::b::Foo; pub struct Bar(Foo);"),
        ("unix.rs", "pub struct Foo;"),
        ("other.rs", "use crate::a::Bar; pub struct Foo(Box<Bar>);"),
    ];
    assert_eq!(circles(&files), ["src/a.rs -> src/other.rs (Foo) -> src/a.rs (Bar)"]);
}

#[test]
fn paths_that_macros_are_given_count() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub const LIMIT: u8 = 1; pub fn f() { println!(\"{}\", crate::b::LIMIT) }"),
        ("b.rs", "use crate::a; pub const LIMIT: u8 = 2; pub fn f() { assert!([a::LIMIT].len() == 1) }"),
    ];
    assert_eq!(circles(&files), ["src/a.rs -> src/b.rs (LIMIT) -> src/a.rs (LIMIT, a)"]);
}

#[test]
fn what_a_macro_defines_is_its_files() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::Made; pub struct A(Made);"),
        ("b.rs", "define!(Made); use crate::a::A;"),
    ];
    assert_eq!(circles(&files), ["src/a.rs -> src/b.rs (Made) -> src/a.rs (A)"]);
}

#[test]
fn variables_and_other_crates_are_not_modules() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use serde::Serialize; pub use a::A; pub use b::B;"),
        ("a.rs", "use crate::Serialize; pub struct A; fn f(b: u8) -> u8 { let a = b; std::mem::drop(::b::B); a }"),
        ("b.rs", "use crate::A; pub struct B(A);"),
    ];
    assert_eq!(circles(&files), NONE);
}
