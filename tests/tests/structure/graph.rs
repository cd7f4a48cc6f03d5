//! The imports between files, and the circles among them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::tree::Tree;

/// For each file, the files that it imports from, with the imported names.
#[derive(Default)]
pub(crate) struct Imports(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Imports {
    /// Adds the imports between files of a tree. A module and its submodules belong together, and imports between them
    /// do not count.
    pub(crate) fn add(&mut self, tree: &Tree) {
        for (id, module) in tree.modules.iter().enumerate() {
            for mention in &module.mentions {
                for other in tree.definitions(id, mention) {
                    let other = &tree.modules[other];
                    if related(&module.path, &other.path) || module.file == other.file {
                        continue;
                    }
                    let name = mention.path.last().expect("a path that leads somewhere has a name");
                    let names = self.0.entry(module.file.clone()).or_default().entry(other.file.clone()).or_default();
                    names.insert(name.clone());
                }
            }
        }
    }

    /// Returns the shortest circle through each import that is part of one, as files; each circle once, starting with
    /// the file whose name sorts first.
    pub(crate) fn circles(&self) -> BTreeSet<Vec<&str>> {
        let mut circles = BTreeSet::new();
        for (from, imports) in &self.0 {
            for to in imports.keys() {
                if let Some(mut circle) = self.way(to, from) {
                    let first = (0..circle.len()).min_by_key(|at| circle[*at]).unwrap_or(0);
                    circle.rotate_left(first);
                    circles.insert(circle);
                }
            }
        }
        circles
    }

    /// Returns a circle in words: `a.rs -> b.rs (Foo) -> a.rs (Bar)`.
    pub(crate) fn describe(&self, circle: &[&str]) -> String {
        let mut text = circle[0].to_owned();
        for (at, from) in circle.iter().enumerate() {
            let to = circle[(at + 1) % circle.len()];
            let names: Vec<_> = self.0[*from][to].iter().map(String::as_str).collect();
            text += &format!(" -> {to} ({})", names.join(", "));
        }
        text
    }

    /// Returns the shortest path along imports, including both ends.
    fn way(&self, from: &str, to: &str) -> Option<Vec<&str>> {
        let (from, _) = self.0.get_key_value(from)?;
        let mut before: BTreeMap<&str, Option<&str>> = BTreeMap::from([(from.as_str(), None)]);
        let mut next = VecDeque::from([from.as_str()]);
        while let Some(file) = next.pop_front() {
            if file == to {
                let mut way = vec![file];
                while let Some(Some(file)) = before.get(way[way.len() - 1]) {
                    way.push(file);
                }
                way.reverse();
                return Some(way);
            }
            for import in self.0.get(file).into_iter().flat_map(BTreeMap::keys) {
                if !before.contains_key(import.as_str()) {
                    before.insert(import, Some(file));
                    next.push_back(import);
                }
            }
        }
        None
    }
}

/// Returns whether one of two modules contains the other.
fn related(a: &[String], b: &[String]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}
