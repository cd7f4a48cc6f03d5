//! What Cargo says of the workspace, without building anything.

use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// A crate of the workspace.
pub(crate) struct Crate {
    /// Relative to the workspace: `engines/wamr/sys`.
    pub(crate) folder: String,
    /// Folders of the crates that its library, program or build script depends on, for any system.
    pub(crate) uses: Vec<String>,
}

/// The workspace's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Each crate of the workspace.
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
        Crate {
            folder: relative(folder.as_std_path()),
            uses: uses.filter_map(|dependency| Some(relative(dependency.path.as_ref()?.as_std_path()))).collect(),
        }
    });
    crates.collect()
}
