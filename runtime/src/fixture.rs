//! A handwritten kernel for unit tests.

mod observed;

use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc, time::SystemTime};

use kernelpack_abi::{
    ABI_VERSION, DType, Dim, Expr, KernelSpec, KernelSpecBuf, Lifecycle, NoBackward, ParamSpec, ParamType, Pass,
    ResourceLimits, Role, Signature, TensorArg, TensorSpec, TensorView, TensorViewMut, section,
};
use kernelpack_engine::{Engine, KernelCode};
use kernelpack_manifest::{Author, Digest, Kernel, KernelPackVerifier, Manifest, SCHEMA, SecretKey, VerifiedModule};
use semver::Version;
use wasm_encoder::{CustomSection, Encode, Section};

pub(crate) use self::observed::{Entry, Observed};
use crate::{
    compiled::CompiledKernel,
    dispatcher::Dispatcher,
    loaded::Shares,
    metrics::{PackInfo, PackLabels},
    origin::Origin,
    pool::PoolPolicy,
    recovery::Settings,
    workers::Workers,
};

/// The mode in which the kernel never ends.
pub(crate) const SPIN: i32 = -1;

pub(crate) const SPEC: KernelSpec<'static> = KernelSpec {
    id: "counts",
    name: "counts",
    description: "",
    category: "test",
    family: "test",
    entry_point: "counts_forward",
    fallback: "",
    limits: ResourceLimits { max_memory_pages: 64, ..ResourceLimits::DEFAULT },
    lifecycle: Lifecycle { init: false, cleanup: false },
    forward: Signature {
        symbols: &["n"],
        tensors: &[tensor("x", Role::In), tensor("y", Role::Out)],
        params: &[ParamSpec { name: "mode", ty: ParamType::I32, default: None }],
    },
    backward: None,
    split: &[],
};

const fn tensor(name: &'static str, role: Role) -> TensorSpec<'static> {
    TensorSpec { name, dtype: DType::F32, role, optional: false, dims: &[Dim::Symbol(0)], len: Expr(&[]) }
}

/// A kernel that counts to 16 times `mode` in memory, and adds a sixteenth of the count to each element of x. A batch
/// does so for each of its calls.
pub(crate) const MODULE: &str = r#"(module
    (memory (export "memory") 1 64)
    (global (export "__heap_base") i32 (i32.const 4096))
    (global (export "kernel_abi_version") i32 (i32.const 1))
    (global (export "kernel_message") i32 (i32.const 1024))
    (export "kernel_forward" (func $forward)) (export "counts_forward" (func $forward))
    (func (export "kernel_info") (param i32) (result i32) i32.const 0)
    (func $forward (param $d i32) (result i32)
        (local $block i32) (local $mode i32) (local $x i32) (local $y i32) (local $end i32) (local $i i32)
        (local.set $block (i32.load offset=32 (local.get $d)))
        (local.set $mode (i32.load offset=112 (local.get $block)))
        (if (i32.lt_s (local.get $mode) (i32.const 0)) (then (loop $spin (br $spin))))
        (local.set $x (i32.load offset=16 (local.get $block)))
        (local.set $y (i32.load offset=64 (local.get $block)))
        (local.set $end (i32.add (local.get $y) (i32.load offset=68 (local.get $block))))
        (i32.store (i32.const 2048) (i32.const 0))
        (block $done (loop $next
            (br_if $done (i32.ge_u (local.get $i) (i32.mul (local.get $mode) (i32.const 16))))
            (i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $next)))
        (loop $write
            (f32.store (local.get $y) (f32.add (f32.load (local.get $x))
                (f32.convert_i32_s (i32.div_u (i32.load (i32.const 2048)) (i32.const 16)))))
            (local.set $x (i32.add (local.get $x) (i32.const 4)))
            (local.set $y (i32.add (local.get $y) (i32.const 4)))
            (br_if $write (i32.lt_u (local.get $y) (local.get $end))))
        (i32.const 0))
    (func (export "kernel_forward_batch") (param $d i32) (param $n i32) (result i64)
        (loop $next
            (drop (call $forward (local.get $d)))
            (local.set $d (i32.add (local.get $d) (i32.const 40)))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i64.const 0)))"#;

pub(crate) fn module(spec: &KernelSpec<'_>, text: &str) -> VerifiedModule {
    let mut wasm = wat::parse_str(text).unwrap();
    let entry = section::encode_to_vec(spec, "hand-written 0.0.0");
    let section = CustomSection { name: section::NAME.into(), data: entry.into() };
    wasm.push(section.id());
    section.encode(&mut wasm);
    let key = SecretKey::from_seed([1; 32]);
    let spec = KernelSpecBuf::from(spec);
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        abi_version: ABI_VERSION,
        name: "counts".to_owned(),
        version: Version::new(1, 0, 0),
        description: String::new(),
        min_runtime_version: Version::new(0, 0, 0),
        max_runtime_version: Version::new(9, 0, 0),
        created_at: "2026-01-18T00:00:00Z".to_owned(),
        author: Author { name: "test".to_owned(), email: None, signing_key: key.public().id() },
        kernels: vec![Kernel::from_spec(&spec, Digest::of(&wasm), BTreeMap::new(), BTreeMap::new()).unwrap()],
        fallbacks: BTreeMap::new(),
    };
    let json = manifest.to_json();
    let verifier = KernelPackVerifier::new([key.public()]);
    let signed = verifier.verify(&json, &key.sign(&json), SystemTime::now()).unwrap();
    signed.verify_module("counts", wasm).unwrap()
}

/// Loads the kernel, compiled with this engine. Its bound calls are divided over this many threads.
pub(crate) fn load(engine: Arc<dyn Engine>, module: VerifiedModule, threads: usize) -> Dispatcher {
    let ceiling = ResourceLimits { max_epoch_ticks: 1_000_000, ..module.interface().spec().limits };
    let compiled = CompiledKernel::new(&engine, KernelCode::Module(module), ceiling).unwrap();
    let info = Arc::new(PackInfo::new(false, &PackLabels { name: &"counts".into(), version: &Version::new(1, 0, 0) }));
    let origin = Origin { kernel: "counts".into(), pack: "counts".into(), version: Version::new(1, 0, 0), _info: info };
    let workers = NonZeroUsize::new(threads).and_then(Workers::new).map(Arc::new);
    let shares = Shares { pool: PoolPolicy::default(), max_bindings: 1000, workers, neighbours: Arc::default() };
    let settings = Settings { metrics: false, ..Settings::default() };
    Dispatcher::new(compiled, &[], origin, &shares, &settings).unwrap()
}

/// The kernel's typed stub.
pub(crate) struct Counts;

/// The arguments of [`Counts`].
pub(crate) struct Args<'a> {
    pub(crate) x: TensorView<'a, f32>,
    pub(crate) y: TensorViewMut<'a, f32>,
    pub(crate) mode: i32,
}

impl Pass for Counts {
    const SIGNATURE: Signature<'static> = SPEC.forward;
    type Args<'a> = Args<'a>;
    type Params = i32;

    fn reborrow<'a>(args: &'a mut Args<'_>) -> Args<'a> {
        Args { x: args.x, y: args.y.reborrow(), mode: args.mode }
    }

    fn lend<R>(args: Args<'_>, f: impl FnOnce(&mut [TensorArg<'_>], &[u8]) -> R) -> R {
        f(&mut [TensorArg::input(args.x), TensorArg::output(args.y)], &args.mode.to_le_bytes())
    }

    fn give<'a>(args: Args<'a>, mut row: impl FnMut(TensorArg<'a>), scalars: impl FnOnce(&[u8])) {
        row(TensorArg::input(args.x));
        row(TensorArg::output(args.y));
        scalars(&args.mode.to_le_bytes());
    }

    fn reference(_: Args<'_>) -> kernelpack_abi::Result<()> {
        NoBackward::reference_on(&mut [], &[])
    }

    fn reference_on(tensors: &mut [TensorArg<'_>], scalars: &[u8]) -> kernelpack_abi::Result<()> {
        NoBackward::reference_on(tensors, scalars)
    }
}
