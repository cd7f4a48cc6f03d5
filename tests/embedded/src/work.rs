//! The device's work: verify, open, call, compare.

use std::{error::Error, fs, path::Path};

use kernelpack_host::{
    Pack, PublicKey, Runtime,
    abi::{BlockQ8_0, TensorView, TensorViewMut},
    engine::{Execution, Wamr},
    pack::read_manifest,
};
use kernelpack_kernels::{kv_pack_q8, rmsnorm_f32};
use kernelpack_verify::{Engine, TrustedKey, Verifier, Version};

use crate::{heap, pages};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The rows and columns of all tensors: one token of a small model.
pub(crate) const SHAPE: [usize; 2] = [1, 1024];

/// The version of WAMR that the host was built with.
const WAMR: &str = "2.4.3";
const FEATURES: [&str; 6] =
    ["bulk-memory", "multi-value", "mutable-global", "reference-types", "saturating-float-to-int", "sign-extension"];

/// A kernel that is alone in its pack.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kernel {
    RmsNorm,
    KvPackQ8,
}

impl Kernel {
    pub(crate) const ALL: [Self; 2] = [Self::RmsNorm, Self::KvPackQ8];

    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::RmsNorm => "rmsnorm_f32",
            Self::KvPackQ8 => "kv_pack_q8",
        }
    }

    /// Calls the kernel twice, compares its results with the native function's, and returns the peak of the host's
    /// allocations for the calls.
    fn call(self, pack: &Pack) -> Result<usize> {
        let columns = SHAPE[1];
        let x: Vec<f32> = (0..columns).map(|at| (at as f32 * 0.37).sin() * 3.0).collect();
        let view = TensorView::new(&x, &SHAPE)?;
        let (same, calling) = match self {
            Self::RmsNorm => {
                let weight: Vec<f32> = (0..columns).map(|at| 1.0 + at as f32 / 4096.0).collect();
                let (mut y, mut expected) = (vec![0.0; columns], vec![0.0; columns]);
                rmsnorm_f32(&x, &weight, &mut expected, 1e-5, columns).map_err(|_| "the function failed")?;
                let kernel = pack.kernel::<rmsnorm_f32::Kernel>()?;
                let calling = twice(|| {
                    let (weight, y) = (TensorView::new(&weight, &[columns])?, TensorViewMut::new(&mut y, &SHAPE)?);
                    Ok(kernel.call(rmsnorm_f32::Args::new(view, weight, y))?)
                })?;
                (y == expected, calling)
            }
            Self::KvPackQ8 => {
                let blocks = [SHAPE[0], columns / 32];
                let mut y = vec![BlockQ8_0 { d: Default::default(), qs: [0; 32] }; blocks.iter().product()];
                let mut expected = y.clone();
                kv_pack_q8(&x, &mut expected).map_err(|_| "the function failed")?;
                let kernel = pack.kernel::<kv_pack_q8::Kernel>()?;
                let calling =
                    twice(|| Ok(kernel.call(kv_pack_q8::Args::new(view, TensorViewMut::new(&mut y, &blocks)?))?))?;
                (y == expected, calling)
            }
        };
        if same { Ok(calling) } else { Err("the results differ from the native function's".into()) }
    }
}

/// Calls twice, since the second call uses the instance that the first one made, and returns the peak of allocated
/// bytes.
fn twice(mut call: impl FnMut() -> Result<()>) -> Result<usize> {
    let before = heap::held();
    heap::most();
    call().and_then(|()| call())?;
    Ok(heap::most() - before)
}

/// The files of a pack, as a device has them in flash.
pub(crate) struct Files {
    manifest: Vec<u8>,
    signature: Vec<u8>,
    module: Vec<u8>,
}

impl Files {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read, or the manifest is refused.
    pub(crate) fn read(dir: &Path, kernel: Kernel, key: &PublicKey) -> Result<Self> {
        let read = |name: &str| fs::read(dir.join(name));
        let mut files =
            Self { manifest: read("kernels.json")?, signature: read("kernels.json.sig")?, module: Vec::new() };
        let module = files.look_up(kernel, key, |kernel| read(kernel.module().path))??;
        files.module = module;
        Ok(files)
    }

    /// Checks the pack in place, as a device without an allocator does.
    ///
    /// # Errors
    /// The pack is refused.
    pub(crate) fn verify(&self, kernel: Kernel, key: &PublicKey) -> Result<()> {
        Ok(self.look_up(kernel, key, |kernel| kernel.verify_module(&self.module).map(drop))??)
    }

    fn look_up<T>(
        &self,
        kernel: Kernel,
        key: &PublicKey,
        then: impl FnOnce(kernelpack_verify::Kernel<'_>) -> T,
    ) -> Result<T> {
        let keys = [TrustedKey::new(key.to_bytes())];
        let manifest = Verifier::new(&keys).verify(&self.manifest, &self.signature, None)?;
        let engine = Engine { name: "wamr", version: Version::parse(WAMR).ok_or("no version")?, features: &FEATURES };
        Ok(then(manifest.kernel(kernel.id(), &engine)?))
    }
}

/// The bytes that a kernel takes outside of the pool.
pub(crate) struct Taken {
    /// The peak on the heap, without the program's own tensors.
    pub(crate) heap: usize,
    /// The bytes that remain allocated on the heap once the pack is open.
    pub(crate) open: usize,
    /// The peak of pages for native code.
    pub(crate) pages: usize,
}

/// Returns whether the pack has native code.
///
/// # Errors
/// The manifest cannot be read.
pub(crate) fn has_native(dir: &Path) -> Result<bool> {
    Ok(read_manifest(dir)?.kernels.iter().any(|kernel| kernel.aot_files().next().is_some()))
}

/// Opens the pack in a pool of this many bytes and calls its kernel.
///
/// # Errors
/// The pool is too small, or the results are wrong.
pub(crate) fn run(dir: &Path, kernel: Kernel, key: PublicKey, execution: Execution, pool: usize) -> Result<Taken> {
    let before = heap::held() + pool;
    heap::most();
    pages::most();
    // A device has one caller, and its pool has no room for a second instance.
    let engine = Wamr::new().execution(execution).pool_bytes(pool);
    let runtime = Runtime::builder(engine).max_instances(1).trust_native(key).build()?;
    let pack = runtime.open(dir)?;
    let (opening, open) = (heap::most().saturating_sub(before), heap::held().saturating_sub(before));
    let calling = kernel.call(&pack)?;
    Ok(Taken { heap: opening.max(open + calling), open, pages: pages::most() })
}
