//! No two files of a crate import each other, neither directly nor in a circle of several.

mod finder;

use std::collections::BTreeSet;

use crate::{graph::Imports, tree::Tree, workspace};

/// Imports that close a circle, as crate, file and the file that it imports. Each is to go: the list may only become
/// shorter. Without them no circle is left, and each of them is part of one.
const KNOWN: &[(&str, &str, &str)] = &[
    // `TypedKernel::bind` makes the `Bound` that calls the kernel.
    ("runtime", "src/bound.rs", "src/typed.rs"),
    // A kernel has its neighbours, which are kernels.
    ("runtime", "src/neighbours.rs", "src/loaded.rs"),
    // A kernel has its recovery, part of which is `impl LoadedKernel`.
    ("runtime", "src/recovery.rs", "src/loaded.rs"),
];

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let mut faults = Vec::new();
    for krate in workspace::crates() {
        let mut imports = Imports::default();
        for root in &krate.roots {
            imports.add(&Tree::read(&krate.sources, root));
        }
        let known: Vec<_> = KNOWN.iter().filter(|(folder, ..)| *folder == krate.folder).collect();
        for (folder, from, to) in &known {
            if !imports.is_in_a_circle(from, to) {
                faults.push(format!("{folder}: {from} -> {to} closes no circle: remove it from KNOWN"));
            }
        }
        for (_, from, to) in &known {
            imports.remove(from, to);
        }
        let circles = imports.circles();
        faults.extend(circles.iter().map(|circle| format!("{}: {}", krate.folder, imports.describe(circle))));
    }
    let remedy = "move what both need to a file of its own, or give one of them a value in place of the import";
    assert!(faults.is_empty(), "files import each other; {remedy}:\n{}", faults.join("\n"));
    let folders: BTreeSet<_> = workspace::crates().into_iter().map(|krate| krate.folder).collect();
    assert!(KNOWN.iter().all(|(folder, ..)| folders.contains(*folder)), "KNOWN names a crate that is not there");
}

/// A file that no root reaches would be judged by nobody. Of those in folders of tests, some are data.
#[test]
fn every_source_belongs_to_a_tree() {
    for krate in workspace::crates() {
        let read: BTreeSet<_> = krate.roots.iter().flat_map(|root| Tree::read(&krate.sources, root).files).collect();
        let lost: Vec<_> =
            krate.sources.keys().filter(|file| !read.contains(*file) && !file.contains("/tests/")).collect();
        assert!(lost.is_empty(), "{}: no `mod` leads to {lost:?}", krate.folder);
    }
}
