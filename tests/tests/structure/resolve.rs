//! From the path that code mentions to the file that defines what it names, through imports and re-exports.

use std::collections::BTreeSet;

use crate::{
    mentions::Mention,
    tree::{Name, Tree},
};

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// Something that this module defines.
    ItemOf(usize),
    Module(usize),
}

/// Names that are being followed, so that one that leads back to itself ends there.
type Seen = BTreeSet<(usize, Vec<String>)>;

impl Tree {
    /// The modules whose files define what the module `from` mentions.
    pub(crate) fn definitions(&self, from: usize, mention: &Mention) -> BTreeSet<usize> {
        let targets = self.follow(from, &mention.path, &mut Seen::new());
        // A single name in an expression may as well be a variable's, so it is not taken for a module.
        let alone = mention.path.len() == 1 && !mention.import;
        let targets = targets.into_iter().filter_map(|target| match target {
            Target::Module(_) if alone => None,
            Target::ItemOf(module) | Target::Module(module) => Some(module),
        });
        targets.collect()
    }

    /// What a path means in a module; nothing where it leads out of the crate.
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
            // Of a module and a function of the same name, only the first has names of its own.
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
            // A variant, or a type's function.
            Target::ItemOf(_) => [target].into(),
            Target::Module(module) if segment == "super" => {
                self.modules[module].parent.into_iter().map(Target::Module).collect()
            }
            Target::Module(_) if segment == "self" => [target].into(),
            Target::Module(module) => {
                let found = self.lookup(module, segment, seen);
                // What a macro defines is not to be seen, and is the module's that has the macro.
                if found.is_empty() && !self.leads_out(module, segment) {
                    [Target::ItemOf(module)].into()
                } else {
                    found
                }
            }
        }
    }

    /// Whether a module imports the name, which then comes from another crate if it is not found in this one.
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
