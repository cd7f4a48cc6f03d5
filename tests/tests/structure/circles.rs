//! Checks that no two files of a crate import each other, directly or through others.

mod finder;

use std::collections::BTreeSet;

use crate::{graph::Imports, tree::Tree, workspace};

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let mut faults = Vec::new();
    for krate in workspace::crates() {
        let mut imports = Imports::default();
        for root in &krate.roots {
            imports.add(&Tree::read(&krate.sources, root));
        }
        let circles = imports.circles();
        faults.extend(circles.iter().map(|circle| format!("{}: {}", krate.folder, imports.describe(circle))));
    }
    let remedy = "move what both need to a file of its own, or give one of them a value in place of the import";
    assert!(faults.is_empty(), "files import each other; {remedy}:\n{}", faults.join("\n"));
}

/// A file that no root reaches would not be checked. Some files in folders of tests are data.
#[test]
fn every_source_belongs_to_a_tree() {
    for krate in workspace::crates() {
        let read: BTreeSet<_> = krate.roots.iter().flat_map(|root| Tree::read(&krate.sources, root).files).collect();
        let lost: Vec<_> =
            krate.sources.keys().filter(|file| !read.contains(*file) && !file.contains("/tests/")).collect();
        assert!(lost.is_empty(), "{}: no `mod` leads to {lost:?}", krate.folder);
    }
}
