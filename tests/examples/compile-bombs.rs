//! What modules cost that were made to be expensive: the seconds to verify and to compile each, and the most memory
//! that the process took for it, one JSON object a line. `compile-bombs [MIB]` takes the size of their code, 0.45 unless
//! given, close to what a module may have; they are signed, as a signer with bad intentions would.

use std::{collections::BTreeMap, fs, process::Command, time::Instant};

use kernelpack_abi::{
    DType, Dim, Expr, KernelSpec, KernelSpecBuf, Lifecycle, ResourceLimits, Role, Signature, TensorSpec, section,
};
use kernelpack_host::{Runtime, VerifiedPack};
use kernelpack_manifest::{Author, Digest, Kernel, MAX_FUNCTION_BYTES, MAX_FUNCTIONS, MAX_TANGLE, Manifest, SCHEMA};
use kernelpack_tests::pack;

const SPEC: KernelSpec<'static> = KernelSpec {
    id: "bomb",
    name: "bomb",
    description: "",
    category: "test",
    family: "bomb",
    entry_point: "bomb_forward",
    fallback: "",
    limits: ResourceLimits {
        max_memory_pages: 65536,
        max_epoch_ticks: 5,
        max_table_elements: 0,
        ..ResourceLimits::DEFAULT
    },
    lifecycle: Lifecycle { init: false, cleanup: false },
    forward: Signature {
        symbols: &["n"],
        tensors: &[TensorSpec {
            name: "y",
            dtype: DType::F32,
            role: Role::Out,
            optional: false,
            dims: &[Dim::Symbol(0)],
            len: Expr(&[]),
        }],
        params: &[],
    },
    backward: None,
    split: &[],
};

/// The locals of a function that has many.
const LOCALS: u32 = 500;

/// A bomb: a name, and the bodies of its functions when they may take so many bytes.
type Bomb = (&'static str, fn(usize) -> Vec<Vec<u8>>);

const BOMBS: [Bomb; 8] = [
    ("small functions", |size| vec![body(&[], &ADD.repeat(16)); (size / 117).min(MAX_FUNCTIONS as usize - 2)]),
    ("empty functions", |size| vec![body(&[], &[0x41, 0]); (size / 4).min(MAX_FUNCTIONS as usize - 2)]),
    ("straight line", |size| functions(size, &[], ADD)),
    ("memory accesses", |size| functions(size, &[], &[0x20, 0, 0x20, 0, 0x28, 2, 0, 0x36, 2, 4])),
    ("blocks", |size| functions(size, &[], &[0x02, 0x40, 0x20, 0, 0x0d, 0, 0x0b])),
    ("loops over locals", |size| {
        // Each loop changes another of many locals, all of which are live throughout.
        let loops = (size / 14).min(MAX_TANGLE as usize / LOCALS as usize);
        let mut code = Vec::new();
        for local in (1..LOCALS).cycle().take(loops) {
            let mut step = vec![0x03, 0x40, 0x20];
            leb(&mut step, local);
            step.extend([0x20, 0, 0x6a, 0x22]);
            leb(&mut step, local);
            step.extend([0x0d, 0, 0x0b]);
            code.extend(step);
        }
        code.extend([0x20, 0]);
        vec![body(&[(LOCALS, 0x7f)], &code)]
    }),
    ("branch tables", |size| {
        let mut table = vec![0x02, 0x40, 0x20, 0, 0x0e];
        leb(&mut table, 60_000);
        table.extend(std::iter::repeat_n(0, 60_001));
        table.push(0x0b);
        functions(size, &[], &table)
    }),
    ("calls with locals", |size| functions(size, &[(49_000, 0x7e)], &[0x20, 0, 0x10, 1, 0x21, 0])),
];

/// Adds a number to the first local.
const ADD: &[u8] = &[0x20, 0, 0x41, 1, 0x6a, 0x21, 0];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mib: f64 = arguments.get(1).map_or(0.45, |mib| mib.parse().expect("the size is a number of MiB"));
    let size = (mib * f64::from(1 << 20)) as usize;
    if let Some(index) = arguments.get(2) {
        return measure(BOMBS[index.parse::<usize>().expect("an index")], size);
    }
    // A process each, so that the memory of one is not that of another.
    for (index, (name, _)) in BOMBS.iter().enumerate() {
        let this = std::env::current_exe().expect("the program has a path");
        let status = Command::new(this).args([mib.to_string(), index.to_string()]).status().expect("it starts");
        if !status.success() {
            println!(r#"{{"bomb":{name:?},"mib":{mib},"ended":"{status}"}}"#);
        }
    }
}

fn measure((name, bodies): Bomb, size: usize) {
    let wasm = module(&bodies(size));
    let bytes = wasm.len();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let spec = KernelSpecBuf::from(&SPEC);
    let kernel = Kernel::from_spec(&spec, Digest::of(&wasm), BTreeMap::new(), BTreeMap::new()).expect("a kernel");
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        abi_version: kernelpack_abi::ABI_VERSION,
        name: "bombs".to_owned(),
        version: Runtime::version(),
        description: String::new(),
        min_runtime_version: Runtime::version(),
        max_runtime_version: Runtime::version(),
        created_at: "2026-01-01T00:00:00Z".to_owned(),
        author: Author { name: "Mallory".to_owned(), email: None, signing_key: pack::key().public().id() },
        kernels: vec![kernel],
        fallbacks: BTreeMap::new(),
    }
    .to_json();
    let write = |file: &str, bytes: &[u8]| fs::write(dir.path().join(file), bytes).expect("the pack can be written");
    fs::create_dir(dir.path().join("bomb")).expect("a folder");
    write("bomb/bomb.wasm", &wasm);
    write(pack::MANIFEST, &manifest);
    write(pack::SIGNATURE, &pack::key().sign(&manifest));
    drop(wasm);

    let runtime = pack::runtime();
    let start = Instant::now();
    let verified = VerifiedPack::open(dir.path(), &runtime.verifier());
    let verify = start.elapsed().as_secs_f64();
    let before = peak_mib();
    let start = Instant::now();
    let (compile, outcome) = match verified.map(|verified| runtime.load(verified)) {
        Ok(loaded) => {
            (start.elapsed().as_secs_f64(), loaded.map_or_else(|error| error.to_string(), |_| "opened".into()))
        }
        Err(error) => (0.0, error.to_string()),
    };
    let outcome: String = outcome.chars().take(120).collect();
    println!(
        r#"{{"bomb":{name:?},"bytes":{bytes},"verify_s":{verify:.3},"compile_s":{compile:.3},"verify_peak_mib":{before},"peak_mib":{},"outcome":{outcome:?}}}"#,
        peak_mib()
    );
}

/// The most resident memory so far; 0 where the system does not tell.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}

/// As many functions as fit, each as large as a kernel's may be and made of this step.
fn functions(size: usize, locals: &[(u32, u8)], step: &[u8]) -> Vec<Vec<u8>> {
    let largest = (MAX_FUNCTION_BYTES - 64).min(size);
    let mut code = step.repeat(largest / step.len());
    code.extend([0x20, 0]);
    vec![body(locals, &code); size.div_ceil(largest)]
}

fn body(locals: &[(u32, u8)], code: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    leb(&mut content, locals.len() as u32);
    for (count, ty) in locals {
        leb(&mut content, *count);
        content.push(*ty);
    }
    content.extend(code);
    if code == ADD.repeat(16) {
        content.extend([0x20, 0]);
    }
    content.push(0x0b);
    let mut body = Vec::new();
    leb(&mut body, content.len() as u32);
    body.extend(content);
    body
}

/// A kernel's module with these functions besides the two it must have.
fn module(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    let count = bodies.len() as u32 + 2;
    // One type, (i32) -> i32, which all functions have.
    push(&mut wasm, 1, &[1, 0x60, 1, 0x7f, 1, 0x7f]);
    let mut content = Vec::new();
    leb(&mut content, count);
    content.extend(std::iter::repeat_n(0, count as usize));
    push(&mut wasm, 3, &content);
    push(&mut wasm, 5, &[1, 1, 1, 0x40]);
    // __heap_base 4096, kernel_abi_version 1, kernel_message 1024
    push(&mut wasm, 6, &[3, 0x7f, 0, 0x41, 0x80, 0x20, 0x0b, 0x7f, 0, 0x41, 1, 0x0b, 0x7f, 0, 0x41, 0x80, 8, 0x0b]);
    let mut exports = vec![7];
    for (name, kind, index) in [
        ("memory", 2, 0),
        ("__heap_base", 3, 0),
        ("kernel_abi_version", 3, 1),
        ("kernel_message", 3, 2),
        ("kernel_forward", 0, 0),
        (SPEC.entry_point, 0, 0),
        ("kernel_info", 0, 1),
    ] {
        exports.push(name.len() as u8);
        exports.extend(name.bytes().chain([kind, index]));
    }
    push(&mut wasm, 7, &exports);
    let mut content = Vec::new();
    leb(&mut content, count);
    let inert = body(&[], &[0x41, 0]);
    for body in [&inert, &inert].into_iter().chain(bodies) {
        content.extend(body);
    }
    push(&mut wasm, 10, &content);
    let mut custom = vec![section::NAME.len() as u8];
    custom.extend(section::NAME.bytes().chain(section::encode_to_vec(&SPEC, "compile-bombs 0.0.0")));
    push(&mut wasm, 0, &custom);
    wasm
}

fn push(wasm: &mut Vec<u8>, id: u8, content: &[u8]) {
    wasm.push(id);
    leb(wasm, content.len() as u32);
    wasm.extend(content);
}

fn leb(bytes: &mut Vec<u8>, mut value: u32) {
    loop {
        let low = value as u8 & 0x7f;
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}
