//! Building a pack from a crate.

use std::{collections::BTreeMap, path::PathBuf};

use kernelpack_abi::{KernelSpecBuf, section::Entry};
use kernelpack_manifest::{
    Digest, Kernel, MANIFEST_FILE, MAX_MODULE_BYTES, Manifest, ModuleFacts, ModuleFile, PackSize, PublicKey, Rejected,
    SIGNATURE_FILE, SecretKey, module,
};

use crate::{
    compile::{Build, Compiled, Features, compile, machine_path},
    created_at::created_at,
    diagnostics::Diagnostics,
    error::BuildError,
    event::{Event, Warning},
    health::{self, Health},
    manifest, passes,
    project::Project,
    raw, simd, write,
};

/// The default size of the shadow stack of modules without SIMD, in bytes, which is the stack that hosts on small
/// devices give a call. Together with the data of most kernels, it fits into one page.
const SCALAR_STACK_BYTES: u32 = 32 << 10;

/// The options of a build: what to build, and where to put it.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// The folder of the crate, or of the workspace that `package` is in.
    pub crate_dir: PathBuf,
    /// The package, if `crate_dir` does not determine it.
    pub package: Option<String>,
    /// The package's features to build with.
    pub features: Features,
    /// The folder to write the pack to; replaces a pack that is already there.
    pub out_dir: PathBuf,
    /// Which health vectors the pack has.
    pub health: Health,
    /// Whether each kernel gets a second module, compiled without SIMD, for engines without SIMD. If not, the pack is
    /// for servers only.
    pub scalar: bool,
    /// Who signs the pack, and when.
    pub signing: Signing,
}

/// The key that signs a pack, and when it does.
///
/// # Example: a build on a machine that lacks the secret key
/// ```no_run
/// use kernelpack_packer::{BuildOptions, Features, Health, Signing, build, load_public_key, load_secret_key, sign};
///
/// let options = BuildOptions {
///     crate_dir: "my-kernels".into(),
///     package: None,
///     features: Features::default(),
///     out_dir: "my-pack".into(),
///     health: Health::default(),
///     scalar: true,
///     signing: Signing::Later(load_public_key("release.pub".as_ref())?),
/// };
/// let built = build(&options, &mut |_| {})?;
///
/// // Then, where the secret key is:
/// sign(&built.pack, &load_secret_key("release.key".as_ref())?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub enum Signing {
    /// This key signs at once.
    Now(SecretKey),
    /// The owner of this key signs later, with [`sign`](crate::sign()), so that the machine that builds need not have
    /// the secret key.
    Later(PublicKey),
}

impl Signing {
    /// Returns the key that hosts will check the signature with.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Now(key) => key.public(),
            Self::Later(key) => *key,
        }
    }
}

/// A pack that [`build`] wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// The pack's folder.
    pub pack: PathBuf,
    /// The content of `kernels.json`.
    pub manifest: Manifest,
    /// The digest of `kernels.json`, which identifies the whole pack: equal sources give equal digests.
    pub digest: Digest,
    /// The crate's module, with all of its kernels.
    pub crate_module: PathBuf,
}

/// Builds the kernels of a crate and writes them as a pack.
///
/// Calls `progress` for each step. The pack is written whole or not at all.
///
/// # Errors
/// The crate does not compile, declares no kernel, or declares one that no host would accept; or `out_dir` holds
/// something other than a pack.
pub fn build(options: &BuildOptions, progress: &mut dyn FnMut(Event)) -> Result<Built, BuildError> {
    // Checks the place before the slow compilation; it is checked again before anything is replaced.
    write::check_place(&options.out_dir)?;
    let project = Project::find(&options.crate_dir, options.package.as_deref())?;
    if manifest::author(&project, &options.signing.public()).name == manifest::UNKNOWN {
        let (package, manifest) = (project.package.clone(), project.manifest.clone());
        progress(Event::Warning(Warning::NoAuthor { package, manifest }));
    }
    let created_at = created_at(project.folder(), progress)?;
    if !project.locked {
        progress(Event::Warning(Warning::NoLockFile { workspace: project.workspace.clone() }));
    }
    let mut diagnostics = Diagnostics::default();
    let compiled = compile(&project, &options.features, Build::Simd, &mut diagnostics, progress)?;
    let stack = project.overrides.scalar_stack_bytes.unwrap_or(SCALAR_STACK_BYTES);
    let without = Build::Scalar { stack };
    let scalar = options.scalar.then(|| compile(&project, &options.features, without, &mut diagnostics, progress));
    let scalar = scalar.transpose()?;

    let mut named = Vec::new();
    let mut kernels = Vec::new();
    let mut size = PackSize::default();
    let entries = raw::read(&compiled.path, &compiled.wasm)?;
    let scalar_entries = scalar.as_ref().map(|scalar| raw::read(&scalar.path, &scalar.wasm)).transpose()?;
    for entry in &entries {
        let spec = &entry.spec;
        let path = format!("{}/{}.wasm", spec.family, spec.id);
        let (wasm, facts) = make_module(&compiled, entry, spec, &path, progress)?;
        size.add(&spec.id, wasm.len(), &facts).map_err(BuildError::rejected)?;
        progress(Event::Packing { kernel: spec.id.clone(), path: path.clone(), size: wasm.len() });
        let hash = Digest::of(&wasm);
        named.push((path, wasm));
        let mut platforms = BTreeMap::from([manifest::wasmtime(&facts)]);
        if let (Some(scalar), Some(entries)) = (&scalar, &scalar_entries) {
            match entries.iter().find(|scalar| scalar.spec.id == spec.id) {
                Some(entry) => {
                    let path = format!("{}/{}.scalar.wasm", spec.family, spec.id);
                    let (wasm, facts) = make_module(scalar, entry, spec, &path, progress)?;
                    if facts.required_features.iter().any(|feature| simd::FEATURES.contains(feature)) {
                        let function = simd::function_of(&project.package.replace('-', "_"), &wasm);
                        let kernel = spec.id.clone();
                        progress(Event::Warning(Warning::SimdInScalar { kernel, function }));
                    } else {
                        size.add(&spec.id, wasm.len(), &facts).map_err(BuildError::rejected)?;
                        progress(Event::Packing { kernel: spec.id.clone(), path: path.clone(), size: wasm.len() });
                        let module = ModuleFile { path: path.clone(), hash: Digest::of(&wasm) };
                        named.push((path, wasm));
                        platforms.extend([manifest::wamr(module, &facts)]);
                    }
                }
                None => progress(Event::Warning(Warning::NoScalar { kernel: spec.id.clone() })),
            }
        }
        let kernel = Kernel::from_spec(spec, hash, platforms, BTreeMap::new()).map_err(BuildError::rejected)?;
        kernels.push((kernel, spec.fallback.clone()));
    }
    let specs: Vec<_> = entries.iter().map(|entry| &entry.spec).collect();
    let vectors = health::vectors(&project, &options.features, &options.health, &specs, &mut diagnostics, progress)?;
    for ((kernel, _), vectors) in kernels.iter_mut().zip(vectors) {
        for (entry, bytes) in vectors {
            named.push((entry.path.clone(), bytes));
            kernel.health.push(entry);
        }
    }
    let manifest = manifest::assemble(&project, &options.signing.public(), created_at, kernels)?;
    let json = manifest.to_json();
    // Parses the bytes as a host would.
    match Manifest::parse(&json) {
        Ok(read) if read == manifest => {}
        Ok(_) => return Err(BuildError::Unfaithful),
        Err(fault) => return Err(BuildError::rejected(fault)),
    }

    let signature = match &options.signing {
        Signing::Now(key) => Some(key.sign(&json)),
        Signing::Later(_) => None,
    };
    let files = named.iter().map(|(path, content)| (path.as_str(), content.as_slice()));
    let files = files.chain([(MANIFEST_FILE, json.as_slice())]);
    let files = files.chain(signature.as_ref().map(|signature| (SIGNATURE_FILE, signature.as_slice())));
    write::write_pack(&options.out_dir, files)?;
    if signature.is_some() {
        progress(Event::Signed { key: manifest.author.signing_key.clone() });
    }
    progress(Event::Written { pack: options.out_dir.clone() });
    Ok(Built { pack: options.out_dir.clone(), digest: Digest::of(&json), manifest, crate_module: compiled.path })
}

/// Makes one of a kernel's modules, and checks it against the spec in the manifest, which comes from the build with
/// SIMD.
fn make_module(
    compiled: &Compiled,
    entry: &Entry<'_>,
    spec: &KernelSpecBuf,
    path: &str,
    progress: &mut dyn FnMut(Event),
) -> Result<(Vec<u8>, ModuleFacts), BuildError> {
    let kernel = || spec.id.clone();
    let wasm =
        passes::transform(&compiled.wasm, entry).map_err(|fault| BuildError::Pass { kernel: kernel(), fault })?;
    if let Some(path) = machine_path(&wasm, &compiled.machine) {
        let path = path.display().to_string();
        progress(Event::Warning(Warning::MachinePath { kernel: kernel(), path }));
    }
    if wasm.len() > MAX_MODULE_BYTES {
        let (path, limit) = (path.to_owned(), MAX_MODULE_BYTES as u64);
        return Err(BuildError::rejected(Rejected::FileTooLarge { path, limit }));
    }
    let facts = module::check(&wasm, spec).map_err(BuildError::rejected)?;
    Ok((wasm, facts))
}
