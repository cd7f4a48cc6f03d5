//! Releases of one kernel: y = x + v, where v is the number of the release, so that a result shows which one computed
//! it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use kernelpack_abi::{
    DType, Kernel as _, KernelSpec, KernelSpecBuf, ParamValue, Shape, TensorView, TensorViewMut, section,
};
use kernelpack_guest::{Result, kernel};
use kernelpack_host::{
    Error, TypedKernel,
    manager::{Followed, KernelManager},
    tensor::{DynTensor, DynView},
};
use kernelpack_manifest::{
    Author, Digest, HealthEntry, HealthVector, Kernel, Manifest, NamedTensor, SCHEMA, SecretKey,
};
use kernelpack_tests::{
    engine::Engine,
    pack::{self, MANIFEST, SIGNATURE},
    section::append_custom_section,
};
use tempfile::TempDir;

/// The function for the stub; in each release's module it adds the release's number instead.
#[kernel(category = "test")]
pub(crate) fn shift_f32(#[shape(n)] x: &[f32], #[shape(n)] y: &mut [f32]) -> Result<()> {
    y.copy_from_slice(x);
    Ok(())
}

pub(crate) const ID: &str = "shift_f32";
/// The number of elements in these tests' tensors.
const N: usize = 64;

/// A release that is not written yet.
#[derive(Clone)]
pub(crate) struct Release {
    pub(crate) version: String,
    /// The number that it adds.
    pub(crate) shift: f32,
    /// The number that it should add according to its health vector.
    pub(crate) expected: f32,
    /// Instructions that run before it adds anything.
    pub(crate) first: &'static str,
    pub(crate) key: SecretKey,
    pub(crate) spec: KernelSpec<'static>,
}

impl Release {
    /// Describes version 1.0.number, which adds the number.
    pub(crate) fn of(number: u32) -> Self {
        Self {
            version: format!("1.0.{number}"),
            shift: number as f32,
            expected: number as f32,
            first: "",
            key: pack::key(),
            spec: shift_f32::Kernel::SPEC,
        }
    }

    pub(crate) fn wasm(&self) -> Vec<u8> {
        let Self { shift, first, spec, .. } = self;
        let shift = format!("{shift:?}");
        let entry = spec.entry_point;
        // In a descriptor, the first input is at 0 and 4, the output at 16 and 20, each as offset and size.
        let text = format!(
            r#"(module
                (memory (export "memory") 2 64)
                (global (export "__heap_base") i32 (i32.const 4096))
                (global (export "kernel_abi_version") i32 (i32.const 1))
                (global (export "kernel_message") i32 (i32.const 1024))
                (export "kernel_forward" (func $forward)) (export "{entry}" (func $forward))
                (func (export "kernel_info") (param i32) (result i32) i32.const 0)
                (func $forward (param $descriptor i32) (result i32) (local $x i32) (local $y i32) (local $end i32)
                    {first}
                    (local.set $x (i32.load offset=0 (local.get $descriptor)))
                    (local.set $y (i32.load offset=16 (local.get $descriptor)))
                    (local.set $end (i32.add (local.get $y) (i32.load offset=20 (local.get $descriptor))))
                    (block $done (loop $next
                        (br_if $done (i32.ge_u (local.get $y) (local.get $end)))
                        (f32.store (local.get $y) (f32.add (f32.load (local.get $x)) (f32.const {shift})))
                        (local.set $x (i32.add (local.get $x) (i32.const 4)))
                        (local.set $y (i32.add (local.get $y) (i32.const 4)))
                        (br $next)))
                    i32.const 0))"#
        );
        let mut wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        append_custom_section(&mut wasm, section::NAME, &section::encode_to_vec(spec, "hand-written 0.0.0"));
        wasm
    }

    fn vector(&self) -> Vec<u8> {
        let tensor = |name: &str, dtype: DType, value: f32| {
            let bytes = value.to_le_bytes().to_vec();
            NamedTensor { name: name.to_owned(), dtype, shape: Shape::new(&[1]).unwrap(), bytes }
        };
        let [x, y] = [0, 1].map(|at: usize| &self.spec.forward.tensors[at]);
        let (inputs, expected) = (vec![tensor("x", x.dtype, 0.0)], vec![tensor("y", y.dtype, self.expected)]);
        HealthVector::new(&self.spec.forward, inputs, expected, &[]).unwrap().to_bytes().unwrap()
    }

    /// Writes the pack into a new folder.
    pub(crate) fn write(&self, dir: &Path) {
        self.write_with(dir, |_| {});
    }

    /// Like [`write`](Self::write), with the manifest changed before it is signed.
    pub(crate) fn write_with(&self, dir: &Path, change: impl FnOnce(&mut Manifest)) {
        let wasm = self.wasm();
        let spec = KernelSpecBuf::from(&self.spec);
        let mut entry = Kernel::from_spec(&spec, Digest::of(&wasm), BTreeMap::new(), BTreeMap::new()).unwrap();
        let vector = self.vector();
        let vector_path = "health/shift.safetensors".to_owned();
        let hash = Digest::of(&vector);
        entry.health = vec![HealthEntry { path: vector_path.clone(), hash, tolerance: 0.0, params: BTreeMap::new() }];
        let path = dir.join(&entry.path);
        let mut manifest = Manifest {
            schema: SCHEMA.to_owned(),
            abi_version: kernelpack_abi::ABI_VERSION,
            name: "shifts".to_owned(),
            version: self.version.parse().unwrap(),
            description: "Adds a number".to_owned(),
            min_runtime_version: "0.1.0".parse().unwrap(),
            max_runtime_version: "9.0.0".parse().unwrap(),
            created_at: "2026-01-18T00:00:00Z".to_owned(),
            author: Author { name: "Ada".to_owned(), email: None, signing_key: self.key.public().id() },
            kernels: vec![entry],
            fallbacks: BTreeMap::from([(self.spec.id.to_owned(), self.spec.fallback.to_owned())]),
        };
        change(&mut manifest);
        let json = manifest.to_json();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, wasm).unwrap();
        fs::create_dir_all(dir.join("health")).unwrap();
        fs::write(dir.join(vector_path), vector).unwrap();
        fs::write(dir.join(MANIFEST), &json).unwrap();
        fs::write(dir.join(SIGNATURE), self.key.sign(&json)).unwrap();
    }
}

/// A folder of releases for an engine.
pub(crate) struct Releases {
    engine: Engine,
    dir: TempDir,
}

impl Releases {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, dir: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Returns the folder of a good release.
    pub(crate) fn good(&self, number: u32) -> PathBuf {
        self.add(&number.to_string(), &Release::of(number))
    }

    pub(crate) fn add(&self, name: &str, release: &Release) -> PathBuf {
        self.add_with(name, release, |_| {})
    }

    pub(crate) fn add_with(&self, name: &str, release: &Release, change: impl FnOnce(&mut Manifest)) -> PathBuf {
        let dir = self.path().join(name);
        release.write_with(&dir, change);
        if self.engine == Engine::WamrAot {
            assert!(pack::add_native(&dir));
        }
        dir
    }
}

/// Returns a manager without a store.
pub(crate) fn manager(engine: Engine) -> KernelManager {
    KernelManager::builder(engine.runtime()).build().unwrap()
}

/// Calls a kernel and returns what it added to every element.
pub(crate) fn shift(
    call: impl FnOnce(&[(&str, DynView<'_>)], &[(&str, ParamValue)]) -> std::result::Result<Vec<DynTensor>, Error>,
) -> std::result::Result<f32, Error> {
    let x: Vec<u8> = (0..N).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let view = DynView { dtype: DType::F32, shape: Shape::new(&[N]).unwrap(), bytes: &x };
    let results = call(&[("x", view)], &[])?;
    let y: Vec<f32> = results[0].bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert_eq!(y.len(), N);
    Ok(same_shift(&y))
}

/// Like [`shift`], with a typed handle that follows the active pack.
pub(crate) fn typed_shift(kernel: &Followed<TypedKernel<shift_f32::Kernel>>) -> std::result::Result<f32, Error> {
    let x: Vec<f32> = (0..N).map(|i| i as f32).collect();
    let mut y = vec![f32::NAN; N];
    kernel.call(shift_f32::Args {
        x: TensorView::new(&x, &[N]).unwrap(),
        y: TensorViewMut::new(&mut y, &[N]).unwrap(),
    })?;
    Ok(same_shift(&y))
}

fn same_shift(y: &[f32]) -> f32 {
    for (i, y_i) in y.iter().enumerate() {
        assert_eq!(y_i - i as f32, y[0], "two packs had a part in {y:?}");
    }
    y[0]
}

/// Returns what the manager's active pack adds.
pub(crate) fn active_shift(manager: &KernelManager) -> f32 {
    let kernel = manager.kernel_named(ID).unwrap();
    shift(|inputs, params| kernel.run(inputs, params)).unwrap()
}
