//! Resolves a path in code to the file that defines its target, through imports and re-exports.

use std::collections::BTreeSet;

use crate::{
    mentions::Mention,
    tree::{Name, Tree},
};

/// The target of a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// An item that this module defines.
    ItemOf(usize),
    Module(usize),
}

/// The names being resolved, so that a cycle among them ends.
type Seen = BTreeSet<(usize, Vec<String>)>;

impl Tree {
    /// Returns the modules whose files define what the module `from` mentions.
    pub(crate) fn definitions(&self, from: usize, mention: &Mention) -> BTreeSet<usize> {
        let targets = self.follow(from, &mention.path, &mut Seen::new());
        // A single name in an expression may also be a variable's, so it is not taken for a module.
        let alone = mention.path.len() == 1 && !mention.import;
        let targets = targets.into_iter().filter_map(|target| match target {
            Target::Module(_) if alone => None,
            Target::ItemOf(module) | Target::Module(module) => Some(module),
        });
        targets.collect()
    }

    /// Returns the targets of a path in a module; empty if the path leads out of the crate.
    fn follow(&self, from: usize, path: &[String], seen: &mut Seen) -> BTreeSet<Target> {
        if !seen.insert((from, path.to_vec())) {
            return BTreeSet::new();
        }
        let mut targets = BTreeSet::new();
        let mut segments = path.iter();
        if let Some(first) = segments.next() {
            targets = match first.as_str() {
                "crate" => [Target::Module(0)].into(),
                "self" => [Target::Module(from)].into(),
                "super" => self.modules[from].parent.into_iter().map(Target::Module).collect(),
                name => self.lookup(from, name, seen),
            };
        }
        for segment in segments {
            // Of a module and a function with the same name, only the module has names inside.
            if targets.iter().any(|target| matches!(target, Target::Module(_))) {
                targets.retain(|target| matches!(target, Target::Module(_)));
            }
            targets = targets.into_iter().flat_map(|target| self.step(target, segment, seen)).collect();
        }
        seen.remove(&(from, path.to_vec()));
        targets
    }

    fn step(&self, target: Target, segment: &str, seen: &mut Seen) -> BTreeSet<Target> {
        match target {
            // The segment names a variant or an associated function of the item.
            Target::ItemOf(_) => [target].into(),
            Target::Module(module) if segment == "super" => {
                self.modules[module].parent.into_iter().map(Target::Module).collect()
            }
            Target::Module(_) if segment == "self" => [target].into(),
            Target::Module(module) => {
                let found = self.lookup(module, segment, seen);
                // Items that a macro defines are not visible here, and are attributed to the module with the macro.
                if found.is_empty() && !self.leads_out(module, segment) {
                    [Target::ItemOf(module)].into()
                } else {
                    found
                }
            }
        }
    }

    /// Returns whether a module imports the name, which comes from another crate if it is not found in this one.
    fn leads_out(&self, module: usize, name: &str) -> bool {
        self.modules[module].names.contains_key(name)
    }

    fn lookup(&self, module: usize, name: &str, seen: &mut Seen) -> BTreeSet<Target> {
        let here = &self.modules[module];
        let mut found = BTreeSet::new();
        for means in here.names.get(name).into_iter().flatten() {
            match means {
                Name::Item => found.extend([Target::ItemOf(module)]),
                Name::Module(child) => found.extend([Target::Module(*child)]),
                Name::Import(path) => found.extend(self.follow(module, path, seen)),
            }
        }
        if !here.names.contains_key(name) {
            for glob in &here.globs {
                for target in self.follow(module, glob, seen) {
                    if let Target::Module(other) = target
                        && other != module
                        && seen.insert((other, vec!["*".to_owned(), name.to_owned()]))
                    {
                        found.extend(self.lookup(other, name, seen));
                        seen.remove(&(other, vec!["*".to_owned(), name.to_owned()]));
                    }
                }
            }
        }
        found
    }
}
