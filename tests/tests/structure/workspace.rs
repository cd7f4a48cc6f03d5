//! Reads what Cargo reports of the workspace, without building anything.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// A crate of the workspace.
#[derive(Default)]
pub(crate) struct Crate {
    /// The folder relative to the workspace, such as `engines/wamr/sys`.
    pub(crate) folder: String,
    /// The folders of the crates that its library, program or build script depends on, on any system.
    pub(crate) uses: Vec<String>,
    /// The files in its `src/`, relative to its folder.
    pub(crate) sources: BTreeMap<String, String>,
    /// The sources that the compiler starts from, such as `src/lib.rs`.
    pub(crate) roots: Vec<String>,
}

/// Returns the root folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns the crates of the workspace.
pub(crate) fn crates() -> Vec<Crate> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--locked".to_owned(), "--offline".to_owned()])
        .exec()
        .unwrap();
    let mut crates = of(&metadata);
    crates.sort_by(|a, b| a.folder.cmp(&b.folder));
    crates
}

fn of(metadata: &Metadata) -> Vec<Crate> {
    let relative = |folder: &Path| folder.strip_prefix(&metadata.workspace_root).unwrap().to_str().unwrap().to_owned();
    let crates = metadata.packages.iter().map(|package| {
        let folder = package.manifest_path.parent().unwrap();
        let uses = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        let roots = package.targets.iter().filter_map(|target| target.src_path.strip_prefix(folder).ok());
        Crate {
            folder: relative(folder.as_std_path()),
            uses: uses.filter_map(|dependency| Some(relative(dependency.path.as_ref()?.as_std_path()))).collect(),
            sources: sources(folder.as_std_path()),
            roots: roots.map(ToString::to_string).filter(|root| root.starts_with("src/")).collect(),
        }
    });
    crates.collect()
}

fn sources(folder: &Path) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![folder.join("src")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                sources.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}
