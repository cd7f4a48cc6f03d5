//! The modules of a crate, as its sources declare them, without those for tests.

use std::collections::{BTreeMap, BTreeSet};

use syn::{
    Attribute, Expr, ExprLit, Item, ItemMod, Lit, Meta, Path, Token, UseTree, parse::Parser as _,
    punctuated::Punctuated,
};

use crate::mentions::{self, Mention};

/// A module: a file, or an inline part of one.
#[derive(Default)]
pub(crate) struct Module {
    /// `["store", "state"]`; empty for the root.
    pub(crate) path: Vec<String>,
    pub(crate) parent: Option<usize>,
    pub(crate) file: String,
    /// The meanings of names in the module's scope. The same name may be declared twice, for two systems or in two
    /// namespaces.
    pub(crate) names: BTreeMap<String, Vec<Name>>,
    /// The paths of glob imports, without their `::*`.
    pub(crate) globs: Vec<Vec<String>>,
    pub(crate) mentions: Vec<Mention>,
}

pub(crate) enum Name {
    /// Something defined in this module itself.
    Item,
    Module(usize),
    Import(Vec<String>),
}

/// The modules below one root, the root itself first.
pub(crate) struct Tree {
    pub(crate) modules: Vec<Module>,
    /// All files that the compiler reads for the root, including those for tests.
    pub(crate) files: BTreeSet<String>,
}

/// A module as its parent declares it.
#[derive(Clone, Default)]
struct Declared {
    path: Vec<String>,
    parent: Option<usize>,
    /// Whether the module is compiled for tests only, and so not part of the tree.
    test: bool,
}

/// Where the children of a module are.
struct Place {
    /// The folder for `mod name;`.
    folder: String,
    /// The folder that `#[path]` is relative to.
    paths_from: String,
}

impl Tree {
    /// Reads the tree below `root`, a file of `sources`.
    pub(crate) fn read(sources: &BTreeMap<String, String>, root: &str) -> Self {
        let mut reader = Reader { sources, tree: Self { modules: Vec::new(), files: BTreeSet::new() } };
        let folder = parent(root).to_owned();
        reader.file(root, &Place { folder: folder.clone(), paths_from: folder }, &Declared::default());
        reader.tree
    }
}

struct Reader<'a> {
    sources: &'a BTreeMap<String, String>,
    tree: Tree,
}

impl Reader<'_> {
    /// Adds a module that is a whole file.
    fn file(&mut self, file: &str, place: &Place, declared: &Declared) {
        let source = self.sources.get(file).unwrap_or_else(|| panic!("there is no file {file}"));
        let parsed = syn::parse_file(source).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.tree.files.insert(file.to_owned());
        let test = declared.test || for_tests(&parsed.attrs);
        self.module(file, place, &Declared { test, ..declared.clone() }, &parsed.items);
    }

    fn module(&mut self, file: &str, place: &Place, declared: &Declared, items: &[Item]) {
        let Declared { path, parent, test } = declared.clone();
        let id = (!test).then(|| {
            let id = self.tree.modules.len();
            if let (Some(parent), Some(name)) = (parent, path.last()) {
                self.name(parent, name, Name::Module(id));
            }
            let (path, file, mentions) = (path.clone(), file.to_owned(), mentions::of(items));
            self.tree.modules.push(Module { path, parent, file, mentions, ..Module::default() });
            id
        });
        for item in items {
            if let Item::Mod(module) = item {
                let path = path.iter().cloned().chain([module.ident.to_string()]).collect();
                let declared = Declared { path, parent: id, test: test || for_tests(&module.attrs) };
                self.child(file, place, &declared, module);
            } else if let Some(id) = id {
                self.item(id, item);
            }
        }
    }

    /// Adds a module declared in `file`, once for each file that it may be.
    fn child(&mut self, file: &str, place: &Place, declared: &Declared, module: &ItemMod) {
        let folder = format!("{}/{}", place.folder, module.ident);
        if let Some((_, items)) = &module.content {
            let place = Place { folder: folder.clone(), paths_from: folder };
            return self.module(file, &place, declared, items);
        }
        // Submodules of a module with an explicit path are next to it.
        let given = given_paths(&module.attrs).into_iter().map(|given| {
            let file = format!("{}/{given}", place.paths_from);
            (parent(&file).to_owned(), file)
        });
        let mut files: Vec<_> = given.collect();
        if files.is_empty() {
            let beside = format!("{folder}.rs");
            let file = if self.sources.contains_key(&beside) { beside } else { format!("{folder}/mod.rs") };
            files.push((folder, file));
        }
        for (folder, file) in files {
            let place = Place { folder, paths_from: parent(&file).to_owned() };
            self.file(&file, &place, declared);
        }
    }

    fn item(&mut self, id: usize, item: &Item) {
        let (attributes, name) = match item {
            Item::Const(item) => (&item.attrs, &item.ident),
            Item::Enum(item) => (&item.attrs, &item.ident),
            Item::Fn(item) => (&item.attrs, &item.sig.ident),
            Item::Static(item) => (&item.attrs, &item.ident),
            Item::Struct(item) => (&item.attrs, &item.ident),
            Item::Trait(item) => (&item.attrs, &item.ident),
            Item::TraitAlias(item) => (&item.attrs, &item.ident),
            Item::Type(item) => (&item.attrs, &item.ident),
            Item::Union(item) => (&item.attrs, &item.ident),
            Item::Use(item) => {
                if !for_tests(&item.attrs) && item.leading_colon.is_none() {
                    self.imports(id, &item.tree, &mut Vec::new());
                }
                return;
            }
            Item::Macro(item) => {
                if let Some(name) = item.ident.as_ref().filter(|_| !for_tests(&item.attrs)) {
                    let exported = item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
                    self.name(id, &name.to_string(), Name::Item);
                    if exported && id != 0 {
                        let path = &self.tree.modules[id].path;
                        let path =
                            ["crate".to_owned()].into_iter().chain(path.iter().cloned()).chain([name.to_string()]);
                        let path = path.collect();
                        self.name(0, &name.to_string(), Name::Import(path));
                    }
                }
                return;
            }
            _ => return,
        };
        if !for_tests(attributes) {
            self.name(id, &name.to_string(), Name::Item);
        }
    }

    fn imports(&mut self, id: usize, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.imports(id, &path.tree, before);
                before.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(name) = before.last().cloned() {
                    self.name(id, &name, Name::Import(before.clone()));
                }
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                let path = before.iter().cloned().chain([name.clone()]).collect();
                self.name(id, &name, Name::Import(path));
            }
            UseTree::Rename(rename) => {
                let mut path = before.clone();
                if rename.ident != "self" || path.is_empty() {
                    path.push(rename.ident.to_string());
                }
                self.name(id, &rename.rename.to_string(), Name::Import(path));
            }
            UseTree::Glob(_) => self.tree.modules[id].globs.push(before.clone()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.imports(id, tree, before)),
        }
    }

    fn name(&mut self, id: usize, name: &str, means: Name) {
        self.tree.modules[id].names.entry(name.to_owned()).or_default().push(means);
    }
}

fn parent(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns the values of `#[path = "..."]`, including those under conditions.
pub(crate) fn given_paths(attributes: &[Attribute]) -> Vec<String> {
    let direct = attributes.iter().map(|attribute| &attribute.meta).cloned();
    let conditional = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg_attr"));
    let conditional = conditional.flat_map(|attribute| arguments(&attribute.meta).into_iter().skip(1));
    let given = direct.chain(conditional).filter_map(|meta| match meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(given), .. }) => Some(given.value()),
            _ => None,
        },
        _ => None,
    });
    given.collect()
}

/// Returns whether the compiler drops an item with these attributes outside of tests.
pub(crate) fn for_tests(attributes: &[Attribute]) -> bool {
    let test = |attribute: &Attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg") && arguments(&attribute.meta).iter().any(requires_test)
    };
    attributes.iter().any(test)
}

/// Returns whether a condition requires `test`.
fn requires_test(condition: &Meta) -> bool {
    let path: &Path = condition.path();
    if path.is_ident("all") {
        arguments(condition).iter().any(requires_test)
    } else if path.is_ident("any") {
        let any = arguments(condition);
        !any.is_empty() && any.iter().all(requires_test)
    } else {
        path.is_ident("test")
    }
}

fn arguments(meta: &Meta) -> Vec<Meta> {
    let Meta::List(list) = meta else { return Vec::new() };
    let arguments = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone());
    arguments.map_or_else(|_| Vec::new(), |arguments| arguments.into_iter().collect())
}
