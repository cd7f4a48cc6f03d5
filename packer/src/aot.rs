//! Native code beside the modules of a pack that exists, and a new signature over both.
//!
//! The compiler is WAMR's, in a program of its own. What it makes is believed only as far as it can be checked; that it
//! does what the module does rests on the compiler, and so on whoever runs it: the key that signs vouches for that.

mod error;

use std::{path::Path, time::SystemTime};

use kernelpack_files::MAX_SIGNATURE_FILE_BYTES;
use kernelpack_manifest::{
    AotFile, AotRecord, AotTarget, Digest, KernelPackVerifier, MANIFEST_FILE, MAX_AOT_BYTES, MAX_HEALTH_BYTES,
    MAX_MANIFEST_BYTES, MAX_MODULE_BYTES, Manifest, ModuleRef, Platform, PublicKey, SIGNATURE_FILE, SecretKey,
    SignedManifest,
};
use kernelpack_wamr_driver::{Compiled, Compiler};

pub use self::error::AotError;
use crate::{check::check_pack, pack_files, sign_error::SignError, write::write_pack};

/// The engine that loads the files.
const ENGINE: &str = "wamr";

/// What to compile.
#[derive(Clone, Debug)]
pub struct AotOptions {
    /// The machines; of each kernel there will be one file for each, in place of one that may be there.
    pub targets: Vec<AotTarget>,
    /// Whether to compile the modules without SIMD for machines with it, too: those ask for less memory.
    pub scalar: bool,
    /// Keys that may have signed the pack as it is, beside the one that will.
    pub trusted: Vec<PublicKey>,
}

/// A file that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AotMade {
    /// The kernel's id.
    pub kernel: String,
    /// What the manifest says of the file.
    pub file: AotFile,
    /// Its bytes.
    pub size: usize,
}

/// Compiles the modules of a signed pack and signs it again, with the new files in it.
///
/// The pack is verified first: nothing is compiled that nobody trusted has signed. It takes the place of the old one in
/// one step, when everything is made. Each file is told of as soon as it is.
///
/// # Errors
/// As for [`sign`](crate::sign()), and what the compiler refuses; the pack is then as it was.
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
    let signature = pack_files::read(pack, SIGNATURE_FILE, MAX_SIGNATURE_FILE_BYTES)?;
    let verifier = KernelPackVerifier::new(options.trusted.iter().copied().chain([public]));
    let refused = |fault| AotError::from(SignError::refused(pack, fault));
    let signed = verifier.verify(&bytes, &signature, SystemTime::now()).map_err(refused)?;
    // Held to everything that a host checks, before anything of it is compiled.
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
    // It is longer than it was, perhaps too long.
    Manifest::parse(&bytes).map_err(refused)?;

    for path in manifest.files() {
        if !files.iter().any(|(made, _)| made == path) {
            files.push((path.to_owned(), pack_files::read(pack, path, limit(path) as u64)?));
        }
    }
    let signature = key.sign(&bytes).to_vec();
    files.extend([(MANIFEST_FILE.to_owned(), bytes), (SIGNATURE_FILE.to_owned(), signature)]);
    write_pack(pack, files.iter().map(|(path, content)| (path.as_str(), content.as_slice())))
        .map_err(AotError::Write)?;
    Ok(manifest)
}

/// The module of a kernel to compile for a target: the kernel's own where the target can run it, else the engine's.
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
    // Verified a second time, since the folder may have changed since.
    let module = match platform {
        Some((engine, _)) => signed.verify_module_for(&kernel.id, engine, wasm),
        None => signed.verify_module(&kernel.id, wasm),
    };
    let module = module.map_err(|fault| SignError::refused(pack, fault))?;
    Ok(module.bytes().to_vec())
}

/// The manifest's entry for a file, as the file says of itself.
fn entry_of(compiled: &Compiled, path: String) -> AotFile {
    let AotRecord { target, source, version, options, .. } = compiled.facts().record.clone();
    AotFile { target, path, hash: Digest::of(compiled.bytes()), source, version, options }
}

/// The most bytes of a file of this name.
fn limit(path: &str) -> usize {
    if path.ends_with(".wasm") {
        MAX_MODULE_BYTES
    } else if path.ends_with(".aot") {
        MAX_AOT_BYTES
    } else {
        MAX_HEALTH_BYTES
    }
}
