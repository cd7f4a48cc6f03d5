//! Makes a pack's manifest from the crate, its overrides and its kernels.

use kernelpack_abi::ABI_VERSION;
use kernelpack_manifest::{Author, Kernel, Manifest, ModuleFacts, ModuleFile, Platform, PublicKey, SCHEMA};
use semver::Version;

use crate::{error::BuildError, project::Project};

/// The oldest Wasmtime that packs are tested with.
const WASMTIME: Version = Version::new(48, 0, 0);

/// The oldest WAMR that packs are tested with.
const WAMR: Version = Version::new(2, 4, 3);

/// The newest runtime that may load a pack, by default: the last one before compatibility may break.
const MAX_RUNTIME: Version = Version::new(1, 0, 0);

/// Returns the oldest runtime that may load a pack, by default: the one with this packer's version.
fn min_runtime() -> Result<Version, BuildError> {
    let version = env!("CARGO_PKG_VERSION");
    Version::parse(version).map_err(|_| BuildError::Unfaithful)
}

/// Returns the platform with SIMD, which loads the kernel's own module; `facts` are that module's.
pub(crate) fn wasmtime(facts: &ModuleFacts) -> (String, Platform) {
    (
        "wasmtime".into(),
        Platform { min_version: WASMTIME, features: features(facts), module: None, aot_available: None, aot: vec![] },
    )
}

/// Returns the platform without SIMD, which loads this module instead; `facts` are this module's.
pub(crate) fn wamr(module: ModuleFile, facts: &ModuleFacts) -> (String, Platform) {
    let (module, features) = (Some(module), features(facts));
    ("wamr".into(), Platform { min_version: WAMR, features, module, aot_available: None, aot: vec![] })
}

fn features(facts: &ModuleFacts) -> Vec<String> {
    facts.required_features.iter().map(ToString::to_string).collect()
}

/// Assembles the manifest of a crate with these kernels, each with the name of its fallback, which may be empty.
pub(crate) fn assemble(
    project: &Project,
    key: &PublicKey,
    created_at: String,
    kernels: Vec<(Kernel, String)>,
) -> Result<Manifest, BuildError> {
    let overrides = project.overrides.clone();
    let fallbacks = kernels.iter().filter(|(_, fallback)| !fallback.is_empty());
    Ok(Manifest {
        schema: SCHEMA.into(),
        abi_version: ABI_VERSION,
        name: overrides.name.unwrap_or_else(|| project.package.clone()),
        version: overrides.version.unwrap_or_else(|| project.version.clone()),
        description: overrides.description.unwrap_or_else(|| project.description.clone()),
        min_runtime_version: overrides.min_runtime_version.map_or_else(min_runtime, Ok)?,
        max_runtime_version: overrides.max_runtime_version.unwrap_or(MAX_RUNTIME),
        created_at,
        author: author(project, key),
        fallbacks: fallbacks.map(|(kernel, fallback)| (kernel.id.clone(), fallback.clone())).collect(),
        kernels: kernels.into_iter().map(|(kernel, _)| kernel).collect(),
    })
}

/// The author's name in packs of crates that name none, such as those that `cargo new` makes.
pub(crate) const UNKNOWN: &str = "unknown";

/// Returns the pack's author: from the overrides, or else the package's first author.
pub(crate) fn author(project: &Project, key: &PublicKey) -> Author {
    let (name, email) = project.author.as_deref().map_or(("", None), split_author);
    let name = project.overrides.author.name.as_deref().unwrap_or(name);
    let email = project.overrides.author.email.as_deref().or(email);
    let name = if name.is_empty() { UNKNOWN } else { name };
    Author { name: name.into(), email: email.map(Into::into), signing_key: key.id() }
}

/// Splits `Name <mail>` into the name and the address.
fn split_author(author: &str) -> (&str, Option<&str>) {
    match author.trim().strip_suffix('>').and_then(|author| author.rsplit_once('<')) {
        Some((name, mail)) => (name.trim(), Some(mail.trim()).filter(|mail| !mail.is_empty())),
        None => (author.trim(), None),
    }
}

#[cfg(test)]
mod tests;
