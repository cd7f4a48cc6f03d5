//! The crate to be packed, as cargo describes it.

use std::path::{Path, PathBuf};

use cargo_metadata::{CrateType, Metadata, MetadataCommand, Package, PackageId, TargetKind};
use semver::Version;

use crate::{error::BuildError, overrides::Overrides, toolchain};

/// A package with a library, and the metadata for the pack's manifest.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) id: PackageId,
    pub(crate) package: String,
    pub(crate) version: Version,
    pub(crate) description: String,
    /// The package's first author.
    pub(crate) author: Option<String>,
    pub(crate) overrides: Overrides,
    /// The package's `Cargo.toml`.
    pub(crate) manifest: PathBuf,
    pub(crate) workspace: PathBuf,
    pub(crate) target: PathBuf,
    /// Whether the workspace has a lock file.
    pub(crate) locked: bool,
    /// Whether the package may use `#[kernel]`, so that its functions can be called natively.
    pub(crate) has_guest: bool,
    /// The packages outside the workspace that it depends on by path: their names and folders.
    pub(crate) neighbours: Vec<(String, PathBuf)>,
}

impl Project {
    /// Finds the package in `crate_dir`, or the one called `package` in its workspace.
    pub(crate) fn find(crate_dir: &Path, package: Option<&str>) -> Result<Self, BuildError> {
        // Links are resolved, so that the mapped paths are those that cargo and rustc see.
        let folder = crate_dir.canonicalize().map_err(|error| BuildError::io("read the crate", crate_dir, error))?;
        let manifest = folder.join("Cargo.toml");
        if !manifest.is_file() {
            return Err(BuildError::NoManifest { crate_dir: crate_dir.into() });
        }
        // Reads the metadata without dependencies first, since resolving them would write the lock file, whose absence
        // must be noticed.
        let members = metadata(&manifest, &["--no-deps"])?;
        let found = choose(&members, &manifest, package)?;
        if !found.targets.iter().any(is_library) {
            return Err(BuildError::NoLibrary {
                package: found.name.to_string(),
                manifest: found.manifest_path.clone().into(),
            });
        }
        let workspace = members.workspace_root.clone().into_std_path_buf();
        let locked = workspace.join("Cargo.lock").is_file();
        let all = metadata(&manifest, if locked { &["--locked"] } else { &[] }).map_err(|error| match error {
            // Replaces cargo's message, which names a flag that the author never passed.
            BuildError::Metadata { reason, .. } if reason.contains("--locked was passed") => {
                BuildError::StaleLockFile { lock_file: workspace.join("Cargo.lock") }
            }
            error => error,
        })?;
        let neighbours = all
            .packages
            .iter()
            .filter(|package| package.source.is_none() && !package.manifest_path.starts_with(&workspace))
            .filter_map(|package| Some((package.name.to_string(), package.manifest_path.parent()?.into())))
            .collect();
        Ok(Self {
            id: found.id.clone(),
            package: found.name.to_string(),
            version: found.version.clone(),
            description: found.description.clone().unwrap_or_default(),
            author: found.authors.first().cloned(),
            overrides: Overrides::read(&found.metadata, found.manifest_path.as_std_path())?,
            manifest: found.manifest_path.clone().into(),
            target: members.target_directory.clone().into(),
            workspace,
            locked,
            has_guest: all.packages.iter().any(|package| *package.name == "kernelpack-guest"),
            neighbours,
        })
    }

    /// Returns the package's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(&self.workspace)
    }
}

fn metadata(manifest: &Path, options: &[&str]) -> Result<Metadata, BuildError> {
    MetadataCommand::new()
        .cargo_path(toolchain::cargo())
        .manifest_path(manifest)
        // Cargo looks for its configuration, and rustup for the toolchain, from the current folder upwards.
        .current_dir(manifest.parent().unwrap_or(manifest))
        .other_options(options.iter().map(ToString::to_string).collect::<Vec<_>>())
        .exec()
        .map_err(|error| BuildError::Metadata { manifest: manifest.into(), reason: error.to_string() })
}

fn choose<'a>(members: &'a Metadata, manifest: &Path, package: Option<&str>) -> Result<&'a Package, BuildError> {
    let names = || members.packages.iter().map(|package| package.name.to_string()).collect::<Vec<_>>();
    let workspace = || members.workspace_root.clone().into();
    match package {
        Some(name) => members
            .packages
            .iter()
            .find(|package| *package.name == name)
            .ok_or_else(|| BuildError::NoPackage { package: name.into(), workspace: workspace(), members: names() }),
        None => members
            .packages
            .iter()
            .find(|package| package.manifest_path == manifest)
            .ok_or_else(|| BuildError::VirtualWorkspace { workspace: workspace(), members: names() }),
    }
}

fn is_library(target: &cargo_metadata::Target) -> bool {
    let library = [TargetKind::Lib, TargetKind::RLib, TargetKind::DyLib, TargetKind::CDyLib, TargetKind::StaticLib];
    target.kind.iter().any(|kind| library.contains(kind)) && !target.crate_types.contains(&CrateType::ProcMacro)
}
