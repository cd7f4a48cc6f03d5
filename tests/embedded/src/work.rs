//! What the device does: verify, open, call, compare.

use std::{error::Error, fs, path::Path};

use kernelpack_host::{PublicKey, Runtime, abi::TensorView};
use kernelpack_kernels::{kv_pack_q8, rmsnorm_f32};
use kernelpack_verify::{Engine, TrustedKey, Verifier, Version};

use crate::heap;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The rows of all tensors and the columns: one token of a small model.
pub(crate) const SHAPE: [usize; 2] = [1, 1024];

/// The kernels of the pack, and the version of WAMR that the host was built with.
const KERNELS: [&str; 2] = ["kv_pack_q8", "rmsnorm_f32"];
const WAMR: &str = "2.4.3";
const FEATURES: [&str; 6] =
    ["bulk-memory", "multi-value", "mutable-global", "reference-types", "saturating-float-to-int", "sign-extension"];

/// Bytes from the system's allocator, the pool not counted.
pub(crate) struct Heap {
    /// The most while the pack was opened.
    pub(crate) opening: usize,
    /// While calls are made.
    pub(crate) calling: usize,
}

/// Checks the pack as a device without an allocator does, in place.
///
/// # Errors
/// The pack is refused.
pub(crate) fn verify(files: &Files, key: &PublicKey) -> Result<()> {
    let keys = [TrustedKey::new(key.to_bytes())];
    let manifest = Verifier::new(&keys).verify(&files.manifest, &files.signature, None)?;
    let engine = Engine { name: "wamr", version: Version::parse(WAMR).ok_or("no version")?, features: &FEATURES };
    for (id, bytes) in KERNELS.into_iter().zip(&files.modules) {
        manifest.kernel(id, &engine)?.verify_module(bytes)?;
    }
    Ok(())
}

/// The files of the pack as a device has them in its flash.
pub(crate) struct Files {
    manifest: Vec<u8>,
    signature: Vec<u8>,
    modules: Vec<Vec<u8>>,
}

impl Files {
    /// Reads them.
    ///
    /// # Errors
    /// One cannot be read.
    pub(crate) fn read(dir: &Path) -> Result<Self> {
        let paths = ["kv/kv_pack_q8.scalar.wasm", "rmsnorm/rmsnorm_f32.scalar.wasm"];
        let modules = paths.iter().map(|path| fs::read(dir.join(path))).collect::<std::io::Result<_>>()?;
        let (manifest, signature) = (fs::read(dir.join("kernels.json"))?, fs::read(dir.join("kernels.json.sig"))?);
        Ok(Self { manifest, signature, modules })
    }
}

/// Opens the pack in a pool of so many bytes, calls its kernels, and compares what they write with what the functions
/// themselves do.
///
/// # Errors
/// The pool is too small; or the results differ.
pub(crate) fn run(dir: &Path, key: PublicKey, pool: usize) -> Result<Heap> {
    let before = heap::held();
    heap::most();
    let runtime = Runtime::embedded().trust(key).with_pool(pool).build()?;
    let pack = runtime.open(dir)?;
    let (norm, quantize) = (pack.kernel::<rmsnorm_f32::Kernel>()?, pack.kernel::<kv_pack_q8::Kernel>()?);
    let opening = heap::most().saturating_sub(before + pool);

    let columns = SHAPE[1];
    let x: Vec<f32> = (0..columns).map(|at| (at as f32 * 0.37).sin() * 3.0).collect();
    let weight: Vec<f32> = (0..columns).map(|at| 1.0 + at as f32 / 4096.0).collect();
    let (view, weights) = (TensorView::new(&x, &SHAPE)?, TensorView::new(&weight, &[columns])?);
    let started = heap::held();
    for _ in 0..3 {
        let normed = norm.run(rmsnorm_f32::Inputs::new(view, weights))?.y;
        let mut expected = vec![0.0; columns];
        rmsnorm_f32(&x, &weight, &mut expected, 1e-5, columns).map_err(|_| "the function failed")?;
        if normed.data() != expected {
            return Err("rmsnorm_f32 differs from the native function".into());
        }
        let packed = quantize.run(kv_pack_q8::Inputs::new(normed.view()))?.y;
        // Whatever is there, the function writes it all.
        let mut expected = packed.data().to_vec();
        kv_pack_q8(normed.data(), &mut expected).map_err(|_| "the function failed")?;
        if packed.data() != expected {
            return Err("kv_pack_q8 differs from the native function".into());
        }
    }
    // The tensors are the program's own.
    let calling = started.saturating_sub(before + pool + 2 * columns * size_of::<f32>());
    Ok(Heap { opening, calling })
}
