//! Packs for tests: the core kernels, fixtures, and packs with one thing changed.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use kernelpack_host::{Pack, Runtime, engine::NativeCompiler};
use kernelpack_manifest::{AotTarget, Digest, Manifest};
use kernelpack_packer::{AotCompiler, AotOptions, BuildOptions, Event, Features, Health, Signing, aot, build};
use tempfile::TempDir;

use crate::engine::Engine;
pub use crate::key::key;

/// The manifest of a pack.
pub const MANIFEST: &str = "kernels.json";
/// The signature of a pack.
pub const SIGNATURE: &str = "kernels.json.sig";

/// Returns a runtime with Wasmtime that trusts [`key`].
///
/// # Panics
/// The engine does not start.
pub fn runtime() -> Runtime {
    Engine::Wasmtime.runtime()
}

/// Returns the core pack in each engine, with a name for it, opened once per process: in Wasmtime with SIMD and
/// without, and in WAMR, interpreted and, if there is a [`compiler`], as native code that is either in the pack or
/// compiled when the pack is opened from its modules without SIMD. The first one is what others are compared with.
///
/// # Panics
/// One of the engines refuses the pack.
pub fn engines() -> &'static [(&'static str, &'static Pack)] {
    static WITHOUT_SIMD: OnceLock<Pack> = OnceLock::new();
    static COMPILED_HERE: OnceLock<Pack> = OnceLock::new();
    static PACKS: OnceLock<Vec<(&'static str, &'static Pack)>> = OnceLock::new();
    PACKS.get_or_init(|| {
        let without = || runtime().open(scalar()).expect("the core pack is for every engine");
        let compiled_here = || {
            let engine = Engine::WamrAot.wamr().compile_native(NativeCompiler::at(compiler_program()));
            let runtime = Engine::WamrAot.server().engine(engine).trust(key().public());
            runtime.build().expect("the compiler is there").open(core()).expect("the core pack is for every engine")
        };
        let mut engines = vec![
            ("wasmtime", Engine::Wasmtime.core_pack()),
            ("wasmtime without SIMD", WITHOUT_SIMD.get_or_init(without)),
        ];
        let wamr = [("wamr", Engine::Wamr), ("wamr-aot", Engine::WamrAot)];
        engines
            .extend(wamr.into_iter().filter(|(_, engine)| engine.is_there()).map(|(name, on)| (name, on.core_pack())));
        if compiler().is_some() {
            engines.push(("wamr-aot, compiled here", COMPILED_HERE.get_or_init(compiled_here)));
        }
        engines
    })
}

/// Returns the path of WAMR's compiler, if it was built.
///
/// # Panics
/// The path of this program is unknown.
pub fn compiler_program() -> PathBuf {
    env::var_os("KERNELPACK_WAMRC").map_or_else(
        || {
            let this = env::current_exe().expect("a program knows its path");
            this.parent().unwrap_or(&this).with_file_name("kernelpack-wamrc")
        },
        PathBuf::from,
    )
}

/// Returns WAMR's compiler, if it was built with LLVM; otherwise prints the reason on standard error.
///
/// # Panics
/// The path of this program is unknown.
pub fn compiler() -> Option<AotCompiler> {
    let compiler = AotCompiler::at(compiler_program(), AotCompiler::TIME_LIMIT);
    compiler.inspect_err(|error| eprintln!("native code is not tested: {error}")).ok()
}

/// Adds native code for this machine to a pack; returns `false` if there is no [`compiler`].
///
/// # Panics
/// The compiler fails.
pub fn add_native(pack: &Path) -> bool {
    let target = AotTarget::of_this_machine().into_iter().collect();
    add_native_for(pack, AotOptions { targets: target, scalar: false, trusted: vec![key().public()] })
}

/// Adds native code to a pack; returns `false` if there is no [`compiler`].
///
/// # Panics
/// The compiler fails.
pub fn add_native_for(pack: &Path, options: AotOptions) -> bool {
    let Some(compiler) = compiler() else { return false };
    aot(pack, &options, &key(), &compiler, &mut |_| {}).expect("the kernels can be compiled");
    true
}

/// Returns the folder of a pack with native code for this machine, made once per process.
///
/// # Panics
/// There is no [`compiler`], or it fails.
pub fn with_native(pack: &'static Path) -> &'static Path {
    static MADE: Mutex<BTreeMap<&'static Path, &'static Path>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(pack).or_insert_with(|| {
        let copy = Copy::of(pack);
        assert!(add_native(copy.path()), "there is no compiler");
        // The copy is leaked, since its folder must exist as long as the process.
        Box::leak(Box::new(copy)).path()
    })
}

/// Returns the root folder of this workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds the crate in a folder of the workspace as a pack at `out`.
///
/// # Panics
/// The crate does not build; cargo's output is on stderr.
pub fn build_crate(folder: &Path, out: &Path) -> Manifest {
    build_crate_with(folder, out, Health::default())
}

fn build_crate_with(folder: &Path, out: &Path, health: Health) -> Manifest {
    let options = BuildOptions {
        crate_dir: folder.to_owned(),
        package: None,
        features: Features::default(),
        out_dir: out.to_owned(),
        health,
        scalar: true,
        signing: Signing::Now(key()),
    };
    let mut cargo = Vec::new();
    let built = build(&options, &mut |event| {
        if let Event::Cargo { line } = event {
            cargo.push(line);
        }
    });
    match built {
        Ok(built) => built.manifest,
        Err(error) => panic!("{}: {error}\n{}", folder.display(), cargo.join("\n")),
    }
}

/// Returns the folder of the core pack, built once per process and signed with [`key`].
pub fn core() -> &'static Path {
    static PACK: OnceLock<TempDir> = OnceLock::new();
    in_temp(&PACK, "kernels", Health::default())
}

/// Returns the folder of the core pack with only these kernels, made once per process, since compiling native code
/// takes time.
///
/// # Panics
/// The core pack has none of these kernels.
pub fn some_of_core(kernels: &'static [&'static str]) -> &'static Path {
    static MADE: Mutex<BTreeMap<&[&str], &'static Path>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(kernels).or_insert_with(|| {
        let copy = Copy::of(core());
        copy.keep(kernels);
        Box::leak(Box::new(copy)).path()
    })
}

/// Returns the folder of the core pack as [`Copy::scalar`] makes it.
///
/// # Panics
/// The core pack has no modules for engines without SIMD.
pub fn scalar() -> &'static Path {
    static PACK: OnceLock<Copy> = OnceLock::new();
    PACK.get_or_init(|| Copy::of(core()).scalar()).path()
}

/// Returns the folder of the pack of a crate in `tests/fixtures`, built once per process.
///
/// # Panics
/// The fixture is not one of those listed here.
pub fn fixture(name: &'static str) -> &'static Path {
    static EVIL: OnceLock<TempDir> = OnceLock::new();
    static WITH_STD: OnceLock<TempDir> = OnceLock::new();
    static WITHOUT_STD: OnceLock<TempDir> = OnceLock::new();
    match name {
        // Its functions must stay in the sandbox: none runs natively, not even for a health vector.
        "evil" => in_temp(&EVIL, "tests/fixtures/evil", Health { make: false, ..Health::default() }),
        "with-std" => in_temp(&WITH_STD, "tests/fixtures/with-std", Health::default()),
        "without-std" => in_temp(&WITHOUT_STD, "tests/fixtures/without-std", Health::default()),
        other => panic!("no fixture {other}"),
    }
}

fn in_temp(cell: &'static OnceLock<TempDir>, folder: &str, health: Health) -> &'static Path {
    let dir = cell.get_or_init(|| {
        let dir = TempDir::new().expect("a temporary folder");
        build_crate_with(&workspace().join(folder), &dir.path().join("pack"), health);
        dir
    });
    // The folder is never dropped, since it is in a static; the system removes it with its other temporary files.
    Box::leak(dir.path().join("pack").into_boxed_path())
}

/// A copy of a pack that a test may change.
pub struct Copy {
    dir: TempDir,
}

impl Copy {
    /// Copies a pack.
    ///
    /// # Panics
    /// A file cannot be copied.
    pub fn of(pack: &Path) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        copy_folder(pack, dir.path());
        Self { dir }
    }

    /// Replaces the modules for Wasmtime by those for engines without SIMD, which are also kept.
    ///
    /// # Panics
    /// The pack has no such modules.
    #[must_use]
    pub fn scalar(self) -> Self {
        let mut manifest = self.manifest();
        for kernel in &mut manifest.kernels {
            let wamr = kernel.platforms.remove("wamr").expect("the packer names what WAMR loads");
            let wasmtime = kernel.platforms.get_mut("wasmtime").expect("the packer names what Wasmtime loads");
            (wasmtime.module, wasmtime.features) = (wamr.module, wamr.features);
            assert!(wasmtime.module.is_some(), "{} has no module without SIMD", kernel.id);
        }
        self.sign(&manifest.to_json());
        self
    }

    /// Returns the copy's folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Reads a file of the pack.
    ///
    /// # Panics
    /// The file cannot be read.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Writes a file of the pack and leaves everything else as it is.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// Returns the manifest.
    ///
    /// # Panics
    /// The manifest is malformed.
    pub fn manifest(&self) -> Manifest {
        Manifest::parse(&self.read(MANIFEST)).expect("the manifest is well-formed")
    }

    /// Writes a manifest, well-formed or not, with a valid signature.
    pub fn sign(&self, manifest: &[u8]) {
        self.write(MANIFEST, manifest);
        self.write(SIGNATURE, &key().sign(manifest));
    }

    /// Replaces a kernel's module, and updates its digest and the signature.
    ///
    /// # Panics
    /// The pack has no such kernel.
    pub fn replace_module(&self, kernel: &str, wasm: &[u8]) {
        self.replace_module_for(Engine::Wasmtime, kernel, wasm);
    }

    /// Like [`replace_module`](Self::replace_module), for the module that an engine loads.
    ///
    /// # Panics
    /// The pack has no such kernel.
    pub fn replace_module_for(&self, engine: Engine, kernel: &str, wasm: &[u8]) {
        let mut manifest = self.manifest();
        let entry = manifest.kernels.iter_mut().find(|entry| entry.id == kernel).expect("the kernel is in the pack");
        let own = entry.platforms.get_mut(engine.name()).and_then(|platform| platform.module.as_mut());
        let (path, hash) = own.map_or((&entry.path, &mut entry.hash), |own| (&own.path, &mut own.hash));
        *hash = Digest::of(wasm);
        self.write(&path.clone(), wasm);
        self.sign(&manifest.to_json());
    }

    /// Removes all other kernels from the pack.
    ///
    /// # Panics
    /// A file cannot be removed.
    pub fn keep(&self, kernels: &[&str]) {
        let mut manifest = self.manifest();
        manifest.kernels.retain(|kernel| kernels.contains(&kernel.id.as_str()));
        manifest.fallbacks.retain(|kernel, _| kernels.contains(&kernel.as_str()));
        let entries =
            |folder: &Path| fs::read_dir(folder).expect("the folder is readable").map(|entry| entry.unwrap().path());
        for folder in entries(self.path()).filter(|path| path.is_dir()) {
            for file in entries(&folder).filter(|file| !manifest.files().any(|path| self.path().join(path) == *file)) {
                fs::remove_file(file).expect("the file can be removed");
            }
            // Fails for folders that still contain a kernel.
            let _ = fs::remove_dir(folder);
        }
        self.sign(&manifest.to_json());
    }

    /// Opens the pack with a runtime that trusts [`key`].
    ///
    /// # Errors
    /// The pack is refused.
    pub fn open(&self, engine: Engine) -> Result<Pack, kernelpack_host::Error> {
        engine.runtime().open(self.path())
    }
}

/// Copies a folder with its contents.
///
/// # Panics
/// A file cannot be copied.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder is readable") {
        let entry = entry.expect("the folder is readable");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("the entry has a type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the file can be copied");
        }
    }
}
