//! What the device does: verify, open, call, compare.

use std::{error::Error, fs, path::Path};

use kernelpack_host::{Execution, Pack, PublicKey, Runtime, abi::TensorView, read_manifest};
use kernelpack_kernels::{kv_pack_q8, rmsnorm_f32};
use kernelpack_verify::{Engine, TrustedKey, Verifier, Version};

use crate::heap;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The rows of all tensors and the columns: one token of a small model.
pub(crate) const SHAPE: [usize; 2] = [1, 1024];

/// The version of WAMR that the host was built with, and what it runs.
const WAMR: &str = "2.4.3";
const FEATURES: [&str; 6] =
    ["bulk-memory", "multi-value", "mutable-global", "reference-types", "saturating-float-to-int", "sign-extension"];

/// A kernel in a pack by itself.
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

    /// Calls the kernel and compares what it writes with what the function itself does.
    fn call(self, pack: &Pack) -> Result<()> {
        let columns = SHAPE[1];
        let x: Vec<f32> = (0..columns).map(|at| (at as f32 * 0.37).sin() * 3.0).collect();
        let view = TensorView::new(&x, &SHAPE)?;
        let same = match self {
            Self::RmsNorm => {
                let weight: Vec<f32> = (0..columns).map(|at| 1.0 + at as f32 / 4096.0).collect();
                let inputs = rmsnorm_f32::Inputs::new(view, TensorView::new(&weight, &[columns])?);
                let y = pack.kernel::<rmsnorm_f32::Kernel>()?.run(inputs)?.y;
                let mut expected = vec![0.0; columns];
                rmsnorm_f32(&x, &weight, &mut expected, 1e-5, columns).map_err(|_| "the function failed")?;
                y.data() == expected
            }
            Self::KvPackQ8 => {
                let y = pack.kernel::<kv_pack_q8::Kernel>()?.run(kv_pack_q8::Inputs::new(view))?.y;
                // Whatever is there, the function writes it all.
                let mut expected = y.data().to_vec();
                kv_pack_q8(&x, &mut expected).map_err(|_| "the function failed")?;
                y.data() == expected
            }
        };
        if same { Ok(()) } else { Err("the results differ from the native function's".into()) }
    }
}

/// The files of a pack as a device has them in its flash.
pub(crate) struct Files {
    manifest: Vec<u8>,
    signature: Vec<u8>,
    module: Vec<u8>,
}

impl Files {
    /// Reads them.
    ///
    /// # Errors
    /// One cannot be read, or nobody trusted vouches for them.
    pub(crate) fn read(dir: &Path, kernel: Kernel, key: &PublicKey) -> Result<Self> {
        let read = |name: &str| fs::read(dir.join(name));
        let mut files =
            Self { manifest: read("kernels.json")?, signature: read("kernels.json.sig")?, module: Vec::new() };
        let module = files.look_up(kernel, key, |kernel| read(kernel.module().path))??;
        files.module = module;
        Ok(files)
    }

    /// Checks the pack as a device without an allocator does, in place.
    ///
    /// # Errors
    /// It is refused.
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

/// Bytes from the system's allocator, the pool not counted.
pub(crate) struct Heap {
    /// The most while the pack was opened.
    pub(crate) opening: usize,
    /// When it was.
    pub(crate) open: usize,
}

/// Whether the pack has native code.
///
/// # Errors
/// Its manifest cannot be read.
pub(crate) fn has_native(dir: &Path) -> Result<bool> {
    Ok(read_manifest(dir)?.kernels.iter().any(|kernel| kernel.aot_files().next().is_some()))
}

/// Opens the pack in a pool of so many bytes and calls its kernel.
///
/// # Errors
/// The pool is too small; or the results are wrong.
pub(crate) fn run(dir: &Path, kernel: Kernel, key: PublicKey, execution: Execution, pool: usize) -> Result<Heap> {
    let before = heap::held() + pool;
    heap::most();
    let runtime = Runtime::embedded().trust_native(key).execution(execution).with_pool(pool).build()?;
    let pack = runtime.open(dir)?;
    let heap = Heap { opening: heap::most().saturating_sub(before), open: heap::held().saturating_sub(before) };
    // The second call finds the instance that the first one made.
    (0..2).try_for_each(|_| kernel.call(&pack))?;
    Ok(heap)
}
