//! Handles of the host have examples, which doctests compile.

use syn::{Attribute, Expr, ExprLit, ImplItem, Item, Lit, Meta, Type, Visibility};

use crate::{tree::for_tests, workspace};

/// The crates that programs call: those that `kernelpack_host` re-exports, and the packer.
const CRATES: &[&str] = &["runtime", "manager", "packer"];

#[test]
fn types_with_public_methods_have_an_example() {
    let mut without = Vec::new();
    for krate in workspace::crates().iter().filter(|krate| CRATES.contains(&krate.folder.as_str())) {
        let files: Vec<_> = krate.sources.values().map(|source| syn::parse_file(source).unwrap()).collect();
        let items: Vec<_> = files.iter().flat_map(|file| &file.items).collect();
        without.extend(without_example(&items));
    }
    assert!(without.is_empty(), "add an example to the documentation of {without:?}");
}

#[test]
fn no_example_is_left_uncompiled() {
    // In `tests/`, examples may need what only a program of tests has.
    for krate in workspace::crates().iter().filter(|krate| !krate.folder.starts_with("tests")) {
        for (file, source) in &krate.sources {
            let ignored = source.lines().any(|line| line.trim_start().starts_with("//") && line.contains("```ignore"));
            assert!(!ignored, "{}/{file}: make the example compile, with `no_run` if it cannot run", krate.folder);
        }
    }
}

/// Returns the public types among the items that have public methods on `self`, but no example.
fn without_example(items: &[&Item]) -> Vec<String> {
    let mut without: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some((&item.vis, &item.ident, &item.attrs)),
            Item::Enum(item) => Some((&item.vis, &item.ident, &item.attrs)),
            _ => None,
        })
        .filter(|(visibility, name, attributes)| {
            matches!(visibility, Visibility::Public(_))
                && items.iter().any(|item| has_methods(item, &name.to_string()))
                && !documentation(attributes).contains("```")
        })
        .map(|(_, name, _)| name.to_string())
        .collect();
    without.sort();
    without
}

/// Returns whether the item is an `impl` of this type with a public method.
fn has_methods(item: &Item, name: &str) -> bool {
    let Item::Impl(item) = item else { return false };
    let Type::Path(path) = &*item.self_ty else { return false };
    let is_named = path.path.segments.last().is_some_and(|segment| segment.ident == name);
    is_named
        && item.trait_.is_none()
        && !for_tests(&item.attrs)
        && item.items.iter().any(|item| match item {
            ImplItem::Fn(method) => method.sig.receiver().is_some() && matches!(method.vis, Visibility::Public(_)),
            _ => false,
        })
}

fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value() + "\n"),
            _ => None,
        },
        _ => None,
    });
    lines.collect()
}

#[test]
fn a_handle_without_an_example_is_noticed() {
    let without = |source: &str| {
        let file = syn::parse_file(source).unwrap();
        without_example(&file.items.iter().collect::<Vec<_>>())
    };
    let methods = "impl<K> Handle<K> { pub fn call(&self) {} }";
    assert_eq!(without(&format!("/// A handle.\npub struct Handle<K>(K); {methods}")), ["Handle"]);
    let example = "/// A handle.\n/// ```no_run\n/// call();\n/// ```";
    assert!(without(&format!("{example}\npub struct Handle<K>(K); {methods}")).is_empty());
    assert!(without(&format!("pub(crate) struct Handle<K>(K); {methods}")).is_empty());
    assert!(without("pub struct Data { pub field: u32 } impl Data { pub fn new() {} }").is_empty());
}
