//! Checks the places of modules and tests: `x.rs` beside `x/`, and the tests of `x.rs` in `x/tests.rs`.

use syn::{Item, ItemMod};

use crate::{
    tree::{for_tests, given_paths},
    workspace,
};

#[test]
fn a_module_with_parts_is_a_file_beside_its_folder() {
    for krate in workspace::crates() {
        let old: Vec<_> = krate.sources.keys().filter(|file| file.ends_with("/mod.rs")).collect();
        assert!(old.is_empty(), "{}: move {old:?} to the file beside the folder, x/mod.rs to x.rs", krate.folder);
    }
}

#[test]
fn unit_tests_are_files_of_their_own() {
    let mut faults = Vec::new();
    for krate in workspace::crates() {
        let mixed: Vec<_> =
            krate.sources.iter().filter(|(_, source)| has_tests(source)).map(|(file, _)| file).collect();
        if !mixed.is_empty() {
            faults.push(format!(
                "{}: {mixed:?} have tests in braces or under another name: move them from x.rs to x/tests.rs",
                krate.folder
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Returns whether a source contains tests, or declares them in a file with an unusual place.
fn has_tests(source: &str) -> bool {
    let here = |module: &ItemMod| {
        for_tests(&module.attrs) && (module.content.is_some() || !given_paths(&module.attrs).is_empty())
    };
    let file = syn::parse_file(source).unwrap();
    file.items.iter().any(|item| matches!(item, Item::Mod(module) if here(module)))
}

#[test]
fn tests_in_braces_or_under_another_name_are_noticed() {
    assert!(has_tests("#[cfg(test)] mod tests { #[test] fn it_works() {} }"));
    assert!(has_tests("#[cfg(all(test, unix))] mod tests { #[test] fn it_works() {} }"));
    assert!(has_tests("#[cfg(test)] #[path = \"pool_tests.rs\"] mod tests;"));
    assert!(!has_tests("#[cfg(test)] mod tests; mod parts { pub fn part() {} }"));
}
