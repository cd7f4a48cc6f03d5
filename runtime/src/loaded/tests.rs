//! Thousands of deadlines, in engines whose ticks are a hundredth of the usual length.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, SystemTime},
};

use kernelpack_abi::{
    ABI_VERSION, DType, Dim, Expr, KernelSpec, Lifecycle, ParamSpec, ParamType, Role, TensorSpec, section,
};
use kernelpack_manifest::{Author, Digest, Kernel, KernelPackVerifier, Manifest, SCHEMA, SecretKey};
use wasm_encoder::{CustomSection, Encode, Section};

use super::*;
#[cfg(feature = "wamr")]
use crate::{Execution, Wamr};
use crate::{KernelError, Tensor, Wasmtime, binding::Binding};

const TICK: Duration = Duration::from_micros(100);

/// The mode in which the kernel never ends.
const SPIN: i32 = -1;

const SPEC: KernelSpec<'static> = KernelSpec {
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

/// Counts to 16 times `mode` in memory, and adds a sixteenth of the count to each element of x.
const MODULE: &str = r#"(module
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
        (i32.const 0)))"#;

fn module(spec: &KernelSpec<'_>, text: &str) -> kernelpack_manifest::VerifiedModule {
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

/// The kernel, compiled with this engine.
fn load(engine: Arc<dyn Engine>) -> Arc<LoadedKernel> {
    load_module(engine, module(&SPEC, MODULE))
}

fn load_module(engine: Arc<dyn Engine>, module: kernelpack_manifest::VerifiedModule) -> Arc<LoadedKernel> {
    let ceiling = ResourceLimits { max_epoch_ticks: 1_000_000, ..SPEC.limits };
    let compiled = CompiledKernel::new(&engine, KernelCode::Module(module), ceiling).unwrap();
    let settings = Settings { metrics: false, ..Settings::default() };
    let origin = Arc::new(Origin::new("counts", &Version::new(1, 0, 0), &settings));
    let shares = Shares { pool: PoolPolicy::default(), max_bindings: 1000, workers: None, neighbours: Arc::default() };
    let loaded = LoadedKernel::new(compiled, &[], origin, &shares, &settings).unwrap();
    Arc::new(loaded)
}

/// Calls the kernel from one thread, with copies or bound.
struct Caller {
    loaded: Arc<LoadedKernel>,
    bound: Binding,
    x: Tensor<f32>,
    y: Tensor<f32>,
}

impl Caller {
    fn new(loaded: &Arc<LoadedKernel>, budget: u32) -> Self {
        let (x, mut y) = (Tensor::from_slice(&[0.5; 8], &[8]).unwrap(), Tensor::zeros(&[8]).unwrap());
        let mut tensors = [TensorArg::input(x.view()), TensorArg::output(y.view_mut())];
        let bound = Binding::new(loaded.clone(), &SPEC.forward, &mut tensors, &[0; 4], budget).unwrap();
        Self { loaded: loaded.clone(), bound, x, y }
    }

    /// Calls the kernel and checks that y is right if there is no error.
    fn call(&mut self, bound: bool, mode: i32, budget: u32) -> Result<(), KernelError> {
        self.y.as_mut_slice().fill(-1.0);
        let mut tensors = [TensorArg::input(self.x.view()), TensorArg::output(self.y.view_mut())];
        let scalars = mode.to_le_bytes();
        let result = if bound {
            self.bound.call(&SPEC.forward, &mut tensors, &scalars)
        } else {
            self.loaded.call(Export::Forward, &SPEC.forward, &mut tensors, &scalars, budget)
        };
        match result {
            Ok(()) => {
                assert!(self.y.as_slice().iter().all(|y| *y == mode as f32 + 0.5), "{mode}: {:?}", self.y.as_slice());
                Ok(())
            }
            Err(Error::Kernel(trapped)) => Err(trapped.error),
            Err(other) => panic!("{other}"),
        }
    }
}

/// Runs `run` on four threads, and checks that no instance is in use afterwards.
fn on_four_threads(loaded: &Arc<LoadedKernel>, budget: u32, run: impl Fn(&mut Caller) + Sync) {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| run(&mut Caller::new(loaded, budget)));
        }
    });
    let occupancy = loaded.pool.occupancy();
    assert_eq!((occupancy.busy, occupancy.waiting), (0, 0));
    assert!(occupancy.idle <= 4);
}

/// Like [`on_four_threads`], but in Wasmtime, and checks that no mapping is left.
fn in_wasmtime(interruption: Interruption, budget: u32, run: impl Fn(&mut Caller) + Sync) {
    let engine = Arc::new(Wasmtime::new().interruption(interruption).tick(TICK).start_engine().unwrap());
    let loaded = load(engine.clone());
    assert_eq!(loaded.interruption(), interruption);
    assert_eq!(Caller::new(&loaded, budget).bound.copied_bytes(&SPEC.forward), 0);
    on_four_threads(&loaded, budget, run);
    #[cfg(target_os = "linux")]
    {
        let idle = loaded.pool.occupancy().idle as usize;
        let watched = if interruption == Interruption::PageProtection { idle } else { 0 };
        assert_eq!(engine.alive(), (idle, watched), "memories, and those that are watched");
        loaded.trim();
        assert_eq!(engine.alive(), (0, 0));
    }
}

/// Like [`on_four_threads`], but in WAMR, and checks that nothing is left in the pool.
#[cfg(feature = "wamr")]
fn in_wamr(budget: u32, run: impl Fn(&mut Caller) + Sync) {
    // The process has only one pool.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let engine = Wamr::new().pool_bytes(4 << 20).execution(Execution::Interpreted).tick(TICK).start_engine().unwrap();
    let engine = Arc::new(engine);
    let loaded = load(engine.clone());
    let before = engine.pool_used();
    on_four_threads(&loaded, budget, run);
    loaded.trim();
    assert_eq!(engine.pool_used(), before);
}

/// The budget of [`stop_often`].
const ONE_TICK: u32 = 1;

fn stop_often(caller: &mut Caller, stops: i32) {
    for stop in 0..stops {
        let bound = stop % 2 == 0;
        assert_eq!(caller.call(bound, SPIN, ONE_TICK), Err(KernelError::EpochDeadline));
        // The system may run other threads on this processor for longer than a tick.
        while let Err(error) = caller.call(!bound, stop % 7, ONE_TICK) {
            assert_eq!(error, KernelError::EpochDeadline);
        }
    }
}

/// Finds the length at which about half of the calls are stopped, and stays close to it.
fn end_with_the_deadline(caller: &mut Caller, rounds: u32) {
    let (mut mode, mut ended, mut stopped) = (100, 0, 0);
    for round in 0..rounds {
        match caller.call(round % 2 == 0, mode, 0) {
            Ok(()) => {
                ended += 1;
                mode += mode / 16 + 1;
            }
            Err(error) => {
                assert_eq!(error, KernelError::EpochDeadline);
                stopped += 1;
                mode -= mode / 16;
            }
        }
    }
    assert!(ended > 100 && stopped > 100, "{ended} {stopped}");
}

mod ten_thousand_stops_leave_everything_in_order {
    use super::*;

    #[test]
    fn wasmtime() {
        in_wasmtime(Interruption::BEST, ONE_TICK, |caller| stop_often(caller, 2500));
    }

    #[test]
    fn wasmtime_by_epochs() {
        in_wasmtime(Interruption::Epoch, ONE_TICK, |caller| stop_often(caller, 250));
    }

    #[test]
    #[cfg(feature = "wamr")]
    fn wamr() {
        in_wamr(ONE_TICK, |caller| stop_often(caller, 2500));
    }
}

mod a_deadline_at_the_end_of_a_call_is_settled_one_way {
    use super::*;

    #[test]
    fn wasmtime() {
        in_wasmtime(Interruption::BEST, 0, |caller| end_with_the_deadline(caller, 2000));
    }

    #[test]
    fn wasmtime_by_epochs() {
        in_wasmtime(Interruption::Epoch, 0, |caller| end_with_the_deadline(caller, 1000));
    }

    #[test]
    #[cfg(feature = "wamr")]
    fn wamr() {
        in_wamr(0, |caller| end_with_the_deadline(caller, 2000));
    }
}

/// `init` takes more than a tick of 10 ms on any machine: 200 million steps, of which a processor does no more than one
/// in a cycle.
#[test]
fn the_time_of_init_comes_out_of_the_budget_of_the_call() {
    let init = r#"(func (export "kernel_init") (param i32 i32) (result i32) (local $i i32)
        (loop $next
            (i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 200000000))))
        (i32.const 0))"#;
    let text = MODULE.replacen("(module", &format!("(module {init}"), 1);
    let spec = KernelSpec { lifecycle: Lifecycle { init: true, cleanup: false }, ..SPEC };
    let engine = Arc::new(Wasmtime::new().start_engine().unwrap());
    let loaded = load_module(engine, module(&spec, &text));
    let ticks = 100_000;
    let given = || {
        let (lease, given) = loaded.enter(ticks, |_, ticks| Ok(ticks)).unwrap();
        lease.give_back();
        given.unwrap_or_else(|_| panic!("the function fails"))
    };
    assert!((1..ticks).contains(&given()), "a call in a new instance");
    assert_eq!(given(), ticks, "a call in a warm instance");
}
