//! A kernel, its module and a pack around them, for tests.

use std::collections::BTreeMap;

use kernelpack_abi::{
    DType, Dim, Expr, KernelSpec, KernelSpecBuf, Lifecycle, Op, ParamSpec, ParamType, ParamValue, ResourceLimits, Role,
    Shape, Signature, TensorSpec, section,
};

use crate::{
    AOT_CHECKS, AOT_RECORD, AotFile, AotRecord, AotTarget, Author, Benchmark, Digest, HealthEntry, HealthVector,
    Kernel, Manifest, ModuleFile, NamedTensor, Platform, SCHEMA, SecretKey, TrustStore, TrustedKey,
};

const ROWS: Dim = Dim::Symbol(0);
const DIM: Dim = Dim::Symbol(1);

const fn tensor(name: &'static str, role: Role, dims: &'static [Dim]) -> TensorSpec<'static> {
    TensorSpec { name, dtype: DType::F32, role, optional: false, dims, len: Expr(&[]) }
}

/// A kernel with a tensor of every role and all lifecycle exports.
pub(crate) const FULL: KernelSpec<'static> = KernelSpec {
    id: "k_f32",
    name: "K (FP32)",
    description: "Does k.",
    category: "activation",
    family: "k",
    entry_point: "k_forward",
    fallback: "k_reference",
    limits: ResourceLimits {
        max_memory_pages: 16,
        max_epoch_ticks: 1000,
        max_table_elements: 8,
        max_instances: 4,
        max_stack_bytes: 131_072,
    },
    lifecycle: Lifecycle { init: true, cleanup: true },
    forward: Signature {
        symbols: &["rows", "dim"],
        tensors: &[
            tensor("x", Role::In, &[ROWS, DIM]),
            TensorSpec { optional: true, ..tensor("weight", Role::In, &[Dim::Div(1, 2), Dim::Fixed(32)]) },
            tensor("state", Role::InOut, &[Dim::Mul(0, 2)]),
            TensorSpec {
                len: Expr(&[Op::Symbol(0), Op::Symbol(1), Op::Const(4), Op::Add, Op::Mul]),
                ..tensor("tmp", Role::Scratch, &[])
            },
            TensorSpec { dtype: DType::Q8_0, ..tensor("y", Role::Out, &[ROWS, DIM]) },
        ],
        params: &[
            ParamSpec { name: "eps", ty: ParamType::F32, default: Some(ParamValue::F32(1e-5)) },
            ParamSpec { name: "causal", ty: ParamType::Bool, default: Some(ParamValue::Bool(true)) },
            ParamSpec { name: "axis", ty: ParamType::I32, default: Some(ParamValue::I32(-1)) },
            ParamSpec { name: "offset", ty: ParamType::U32, default: None },
        ],
    },
    backward: Some(Signature {
        symbols: &["n"],
        tensors: &[tensor("dy", Role::In, &[Dim::Symbol(0)]), tensor("dx", Role::Out, &[Dim::Symbol(0)])],
        params: &[],
    }),
    split: &[],
};

/// The smallest possible kernel.
pub(crate) const PLAIN: KernelSpec<'static> = KernelSpec {
    id: "p_f32",
    family: "p",
    entry_point: "p_forward",
    fallback: "",
    lifecycle: Lifecycle { init: false, cleanup: false },
    forward: Signature {
        symbols: &["n"],
        tensors: &[tensor("x", Role::In, &[Dim::Symbol(0)]), tensor("y", Role::Out, &[Dim::Symbol(0)])],
        params: &[],
    },
    backward: None,
    split: &[0],
    ..FULL
};

pub(crate) const WRITER: &str = "samples 1.0.0";
pub(crate) const FULL_ENTRY: [u8; section::encoded_len(&FULL, WRITER)] = section::encode(&FULL, WRITER);
pub(crate) const PLAIN_ENTRY: [u8; section::encoded_len(&PLAIN, WRITER)] = section::encode(&PLAIN, WRITER);

/// The module of [`PLAIN`], without its custom section.
pub(crate) const PLAIN_WAT: &str = r#"(module
  (memory (export "memory") 2 16)
  (global (export "kernel_abi_version") i32 (i32.const 1))
  (global (export "__heap_base") i32 (i32.const 131072))
  (global (export "kernel_message") i32 (i32.const 130812))
  (func $forward (export "kernel_forward") (export "p_forward") (param i32) (result i32) i32.const 0)
  (func $info (export "kernel_info") (param i32) (result i32) i32.const 0)
)"#;

/// Returns the module of [`FULL`], without its custom section.
pub(crate) fn full_wat() -> String {
    let more = r#"
  (func (export "kernel_init") (param i32 i32) (result i32) i32.const 0)
  (func (export "kernel_backward") (param i32) (result i32) i32.const 0)
  (func (export "kernel_cleanup") (result i32) i32.const 0)
)"#;
    format!("{}{more}", PLAIN_WAT.replace("p_forward", "k_forward").trim_end_matches(')'))
}

/// Assembles this text into a module and appends a custom section for each of these contents.
pub(crate) fn module(text: &str, sections: &[&[u8]]) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap();
    for content in sections {
        let size = 1 + section::NAME.len() + content.len();
        assert!(size < 1 << 14);
        module.extend([0, size as u8 | 0x80, (size >> 7) as u8, section::NAME.len() as u8]);
        module.extend(section::NAME.as_bytes());
        module.extend(*content);
    }
    module
}

pub(crate) fn spec_of(spec: &KernelSpec<'_>) -> KernelSpecBuf {
    spec.into()
}

pub(crate) fn full_module() -> Vec<u8> {
    module(&full_wat(), &[&FULL_ENTRY])
}

/// Returns another module of [`FULL`], for a single engine.
pub(crate) fn scalar_module() -> Vec<u8> {
    module(&full_wat().replace("130812", "130808"), &[&FULL_ENTRY])
}

/// Returns the record of [`aot`].
pub(crate) fn aot_record() -> AotRecord {
    AotRecord {
        target: AotTarget::X86_64,
        source: Digest::of(&scalar_module()),
        version: "2.4.3".parse().unwrap(),
        llvm: "14.0.6".to_owned(),
        options: AOT_CHECKS.map(str::to_owned).into_iter().chain(["opt-level=3".to_owned()]).collect(),
    }
}

/// Returns a file for x86-64 with this record and all sections, but without code.
pub(crate) fn aot(record: &AotRecord) -> Vec<u8> {
    let mut file = b"\0aot\x06\0\0\0".to_vec();
    let mut section = |kind: u32, content: &[u8]| {
        file.resize(file.len().next_multiple_of(4), 0);
        file.extend(kind.to_le_bytes().into_iter().chain((content.len() as u32).to_le_bytes()));
        file.extend(content);
    };
    // The fields are: little-endian and 64-bit; no ABI; relocatable; x86-64; ELF's version and flags; with termination
    // checks.
    let mut info = [2u16, 0, 1, 62].map(u16::to_le_bytes).concat();
    info.extend([1, 0, 1 << 2, 0, 0, 0].map(u32::to_le_bytes).concat());
    info.extend(b"x86_64\0\0\0\0\0\0\0\0\0\0");
    section(0, &info);
    (1..6).for_each(|kind| section(kind, &[7; 5]));
    let name = AOT_RECORD.len() as u16 + 1;
    section(100, &[&[0; 4], &name.to_le_bytes()[..], AOT_RECORD.as_bytes(), b"\0", &record.to_json()].concat());
    file
}

/// Returns the entry of [`aot`].
pub(crate) fn aot_file() -> AotFile {
    let record = aot_record();
    AotFile {
        target: record.target,
        path: "k/k_f32.x86_64.aot".to_owned(),
        hash: Digest::of(&aot(&record)),
        source: record.source,
        version: record.version,
        options: record.options,
    }
}

pub(crate) fn plain_module() -> Vec<u8> {
    module(PLAIN_WAT, &[&PLAIN_ENTRY])
}

/// The scalars of [`full_vector`].
pub(crate) const FULL_PARAMS: [(&str, ParamValue); 2] =
    [("eps", ParamValue::F32(1e-3)), ("offset", ParamValue::U32(7))];

/// Returns a tensor whose bytes count up.
pub(crate) fn named(name: &str, dtype: DType, dims: &[usize]) -> NamedTensor {
    let shape = Shape::new(dims).unwrap();
    NamedTensor { name: name.to_owned(), dtype, shape, bytes: (0..shape.bytes(dtype)).map(|at| at as u8).collect() }
}

/// Returns a call of [`FULL`] with 2 rows and a dim of 6, without the optional tensor.
pub(crate) fn full_vector() -> HealthVector {
    let inputs = vec![named("x", DType::F32, &[2, 6]), named("state", DType::F32, &[4])];
    let expected = vec![named("y", DType::Q8_0, &[2, 6]), named("state", DType::F32, &[4])];
    HealthVector::new(&FULL.forward, inputs, expected, &FULL_PARAMS).unwrap()
}

/// Returns the key that signs the samples.
pub(crate) fn key() -> SecretKey {
    SecretKey::from_seed([7; 32])
}

/// Returns a store that uses every feature: the key of seed 2, which expires, and that of seed 1, which is revoked.
pub(crate) fn trust_store() -> TrustStore {
    let entry = |id: &str, seed| {
        let key = SecretKey::from_seed([seed; 32]).public();
        TrustedKey { id: id.to_owned(), key, not_after: None, revoked: None, native: false, comment: None }
    };
    let mut store = TrustStore::default();
    let comment = Some("the \"new\" one \u{2014} Ada's".to_owned());
    store.add(TrustedKey { comment, ..entry("release-2026", 2) }).unwrap();
    store.expire("release-2026", "2027-06-30T00:00:00Z".parse().unwrap()).unwrap();
    store.add(entry("release-2025", 1)).unwrap();
    store.revoke("release-2025", "2026-02-01T00:00:00Z".parse().unwrap(), "laptop stolen").unwrap();
    store
}

/// Returns a pack with both kernels.
pub(crate) fn manifest() -> Manifest {
    let version = |text: &str| text.parse().unwrap();
    let wasmtime = Platform {
        min_version: version("40.0.0"),
        features: vec!["bulk-memory".into(), "simd".into()],
        module: None,
        aot_available: None,
        aot: vec![],
    };
    let scalar = ModuleFile { path: "k/k_f32.scalar.wasm".to_owned(), hash: Digest::of(&scalar_module()) };
    let wamr = Platform {
        min_version: version("2.4.0"),
        features: vec![],
        module: Some(scalar),
        aot_available: Some(true),
        aot: vec![aot_file()],
    };
    let platforms = BTreeMap::from([("wasmtime".to_owned(), wasmtime), ("wamr".to_owned(), wamr)]);
    let benchmark = Benchmark { latency_us: 45.0, throughput_gflops: Some(2.1) };
    let benchmarks = BTreeMap::from([("rows_64_dim_4096".to_owned(), benchmark)]);
    let mut kernels = vec![
        Kernel::from_spec(&spec_of(&FULL), Digest::of(&full_module()), platforms, benchmarks).unwrap(),
        Kernel::from_spec(&spec_of(&PLAIN), Digest::of(&plain_module()), BTreeMap::new(), BTreeMap::new()).unwrap(),
    ];
    kernels[0].health.push(HealthEntry {
        path: "health/k_f32.safetensors".to_owned(),
        hash: Digest::of(&full_vector().to_bytes().unwrap()),
        tolerance: 1e-6,
        params: FULL_PARAMS.map(|(name, value)| (name.to_owned(), value.into())).into(),
    });
    Manifest {
        schema: SCHEMA.to_owned(),
        abi_version: kernelpack_abi::ABI_VERSION,
        name: "samples".to_owned(),
        version: version("1.0.0"),
        description: "Kernels for tests".to_owned(),
        min_runtime_version: version("0.1.0"),
        max_runtime_version: version("1.0.0"),
        created_at: "2026-01-18T00:00:00Z".to_owned(),
        author: Author {
            name: "Ada".to_owned(),
            email: Some("ada@example.org".to_owned()),
            signing_key: key().public().id(),
        },
        kernels,
        fallbacks: BTreeMap::from([("k_f32".to_owned(), "k_reference".to_owned())]),
    }
}

/// Returns the pack's manifest as text.
pub(crate) fn json() -> String {
    String::from_utf8(manifest().to_json()).unwrap()
}

/// Returns the pack's manifest with `from` replaced by `to`, where `from` must occur.
pub(crate) fn json_with(from: &str, to: &str) -> String {
    let json = json();
    let changed = json.replacen(from, to, 1);
    assert!(json != changed, "{from:?} is not in the sample, or is what replaces it");
    changed
}
