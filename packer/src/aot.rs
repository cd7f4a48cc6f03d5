//! Adds native code to an existing pack, and signs it again.
//!
//! The compiler is WAMR's, in a separate program. Its output is checked as far as possible. Whether the code does what
//! the module does depends on the compiler and on the machine that runs the compiler: the signer vouches for that.

mod error;

use std::{path::Path, time::SystemTime};

use kernelpack_manifest::{
    AotFile, AotRecord, AotTarget, Digest, KernelPackVerifier, MANIFEST_FILE, MAX_MANIFEST_BYTES, MAX_MODULE_BYTES,
    MAX_SIGNATURE_FILE_BYTES, Manifest, ModuleRef, Platform, PublicKey, SIGNATURE_FILE, SecretKey, SignedManifest,
};
use kernelpack_wamr_driver::{Compiled, Compiler};

pub use self::error::AotError;
use crate::{check::check_pack, pack_files, sign_error::SignError, write::write_pack};

/// The engine that loads the files.
const ENGINE: &str = "wamr";

/// The options for compiling a pack ahead of time.
///
/// # Example: native code for this machine
/// ```no_run
/// use kernelpack_packer::{AotCompiler, AotOptions, aot, load_secret_key};
///
/// let compiler = AotCompiler::at("/usr/local/bin/kernelpack-wamrc", AotCompiler::TIME_LIMIT)?;
/// let key = load_secret_key("release.key".as_ref())?;
/// let targets = kernelpack_manifest::AotTarget::of_this_machine().into_iter().collect();
/// let options = AotOptions { targets, scalar: false, trusted: vec![key.public()] };
/// aot("my-pack".as_ref(), &options, &key, &compiler, &mut |made| println!("{}", made.kernel))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AotOptions {
    /// The machines to compile for. Each kernel gets one file per target, which replaces an existing one.
    pub targets: Vec<AotTarget>,
    /// Whether to compile the modules without SIMD even for machines with SIMD, since they need less memory.
    pub scalar: bool,
    /// Keys that may have signed the pack so far, besides the key that signs it now.
    pub trusted: Vec<PublicKey>,
}

/// A compiled file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AotMade {
    /// The kernel's id.
    pub kernel: String,
    /// The file's entry in the manifest.
    pub file: AotFile,
    /// The file's size in bytes.
    pub size: usize,
}

/// Compiles the modules of a signed pack, adds the new files, and signs the pack again.
///
/// The pack is verified first, so that nothing is compiled unless a trusted key has signed it. The new pack replaces
/// the old one in one step at the end. `made` is called for each file as soon as it is compiled.
///
/// # Errors
/// The errors of [`sign`](crate::sign()) and of the compiler; the pack is then unchanged.
pub fn aot(
    pack: &Path,
    options: &AotOptions,
    key: &SecretKey,
    compiler: &Compiler,
    made: &mut dyn FnMut(&AotMade),
) -> Result<Manifest, AotError> {
    if options.targets.is_empty() {
        return Err(AotError::NoTargets);
    }
    let public = key.public();
    let bytes = pack_files::read(pack, MANIFEST_FILE, MAX_MANIFEST_BYTES as u64)?;
    let signature = pack_files::read(pack, SIGNATURE_FILE, MAX_SIGNATURE_FILE_BYTES as u64)?;
    let verifier = KernelPackVerifier::new(options.trusted.iter().copied().chain([public]));
    let refused = |fault| AotError::from(SignError::refused(pack, fault));
    let signed = verifier.verify(&bytes, &signature, SystemTime::now()).map_err(refused)?;
    // Performs all checks of a host before anything is compiled.
    check_pack(pack, &signed)?;

    let mut manifest = signed.manifest().clone();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for (at, kernel) in signed.kernels.iter().enumerate() {
        let entry = manifest.kernels[at].platforms.entry(ENGINE.to_owned());
        let platform = entry.or_insert_with(|| Platform {
            min_version: compiler.wamr().clone(),
            features: Vec::new(),
            module: None,
            aot_available: None,
            aot: Vec::new(),
        });
        platform.aot.retain(|file| !options.targets.contains(&file.target));
        for &target in &options.targets {
            let wasm = module(pack, &signed, at, target, options.scalar)?;
            let compiled = compiler.compile(&kernel.id, target, &wasm)?;
            let path = kernel.path.strip_suffix("wasm").unwrap_or(&kernel.path);
            let file = entry_of(&compiled, format!("{path}{target}.aot"));
            let aot = compiled.into_bytes();
            kernel.read_aot(&file, &aot).map_err(refused)?;
            made(&AotMade { kernel: kernel.id.clone(), file: file.clone(), size: aot.len() });
            files.push((file.path.clone(), aot));
            platform.aot.push(file);
        }
        platform.aot.sort_by_key(|file| file.target);
        platform.aot_available = Some(true);
    }
    manifest.author.signing_key = public.id();
    manifest.validate().map_err(refused)?;
    let bytes = manifest.to_json();
    // The manifest has grown, perhaps beyond its limit.
    Manifest::parse(&bytes).map_err(refused)?;

    for part in manifest.parts() {
        let path = part.path();
        if !files.iter().any(|(made, _)| made == path) {
            files.push((path.to_owned(), pack_files::read(pack, path, part.max_bytes() as u64)?));
        }
    }
    let signature = key.sign(&bytes).to_vec();
    files.extend([(MANIFEST_FILE.to_owned(), bytes), (SIGNATURE_FILE.to_owned(), signature)]);
    write_pack(pack, files.iter().map(|(path, content)| (path.as_str(), content.as_slice())))
        .map_err(AotError::Write)?;
    Ok(manifest)
}

/// Returns the module of a kernel to compile for a target: the kernel's own if the target can run it, else the
/// engine's.
fn module(
    pack: &Path,
    signed: &SignedManifest,
    at: usize,
    target: AotTarget,
    scalar: bool,
) -> Result<Vec<u8>, AotError> {
    let kernel = &signed.kernels[at];
    let own = kernel.modules().find(|module| module.platform.is_none());
    let engines = kernel.module_for(ENGINE);
    let ModuleRef { path, platform, .. } = match own {
        Some(own) if target.has_simd() && !scalar => own,
        _ => engines,
    };
    let wasm = pack_files::read(pack, path, MAX_MODULE_BYTES as u64)?;
    // The module is verified again, since the folder may have changed since the first check.
    let module = match platform {
        Some((engine, _)) => signed.verify_module_for(&kernel.id, engine, wasm),
        None => signed.verify_module(&kernel.id, wasm),
    };
    let module = module.map_err(|fault| SignError::refused(pack, fault))?;
    Ok(module.bytes().to_vec())
}

/// Returns the manifest's entry for a compiled file, from the record in the file.
fn entry_of(compiled: &Compiled, path: String) -> AotFile {
    let AotRecord { target, source, version, options, .. } = compiled.facts().record.clone();
    AotFile { target, path, hash: Digest::of(compiled.bytes()), source, version, options }
}
