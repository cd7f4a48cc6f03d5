//! Modules that are expensive to compile on purpose: each drives one kind of cost to the limit that a module may have.

use std::collections::BTreeMap;

use kernelpack_abi::{
    ABI_VERSION, DType, Dim, Expr, KernelSpec, KernelSpecBuf, Lifecycle, ResourceLimits, Role, Signature, TensorSpec,
    section,
};
use kernelpack_host::Runtime;
use kernelpack_manifest::{
    Author, Digest, Kernel, MAX_BLOCK_VALUES, MAX_BRANCH_TARGETS, MAX_CALL_VALUES, MAX_CODE_BYTES, MAX_DEFINITIONS,
    MAX_ELEMENTS, MAX_FUNCTION_BYTES, MAX_FUNCTION_VALUES, MAX_FUNCTIONS, MAX_LIVE_VALUES, MAX_SEGMENTS,
    MAX_TYPE_VALUES, MAX_TYPES, Manifest, SCHEMA,
};
use tempfile::TempDir;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, CustomSection, DataSection, ElementSection, Elements, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, Instruction as I, MemArg, MemorySection, MemoryType, Module,
    NameMap, NameSection, RefType, TableSection, TableType, TypeSection, ValType,
};

use crate::pack;

const SPEC: KernelSpec<'static> = KernelSpec {
    id: "bomb",
    name: "bomb",
    description: "",
    category: "test",
    family: "bomb",
    entry_point: "bomb_forward",
    fallback: "",
    limits: ResourceLimits {
        max_memory_pages: 256,
        max_epoch_ticks: 5,
        max_table_elements: 65536,
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

/// The number of code bytes in the functions that a bomb adds, a little below the limit of a module: the functions that
/// every kernel must have take some too.
const BYTES: usize = MAX_CODE_BYTES / 100 * 95;
/// The number of code bytes in one of these functions, a little below the limit of a function.
const FUNCTION_BYTES: usize = MAX_FUNCTION_BYTES - 256;

/// The type `(i32) -> i32`, which functions have unless stated otherwise.
const PLAIN: u32 = 0;
/// The index of the first type that a bomb adds.
const OWN: u32 = 1;
/// The index of the first function that a bomb adds.
const FIRST: u32 = 2;

/// The parts of a module.
struct Parts {
    types: TypeSection,
    functions: FunctionSection,
    table: u64,
    globals: u32,
    elements: ElementSection,
    code: CodeSection,
    data: DataSection,
    names: Option<NameSection>,
}

impl Parts {
    /// Makes a module with the two functions that a kernel must have; they do nothing.
    fn new() -> Self {
        let mut parts = Self {
            types: TypeSection::new(),
            functions: FunctionSection::new(),
            table: 0,
            globals: 0,
            elements: ElementSection::new(),
            code: CodeSection::new(),
            data: DataSection::new(),
            names: None,
        };
        parts.ty(1, 1);
        let mut inert = Function::new([]);
        inert.instruction(&I::I32Const(0)).instruction(&I::End);
        (0..FIRST).for_each(|_| parts.function(PLAIN, &inert));
        parts
    }

    fn ty(&mut self, params: usize, results: usize) {
        self.types.ty().function(vec![ValType::I32; params], vec![ValType::I32; results]);
    }

    /// Adds a type with this many parameters and results, which differs from those for other values of `at`.
    fn types_of(&mut self, values: usize, at: usize) {
        let bit = |place: usize| if at >> place & 1 == 0 { ValType::I32 } else { ValType::I64 };
        self.types.ty().function((0..values / 2).map(bit), (values / 2..values).map(|_| ValType::I64));
    }

    fn function(&mut self, ty: u32, function: &Function) {
        self.functions.function(ty);
        self.code.function(function);
    }

    /// Adds functions that repeat `step`, each as large as possible, up to the limit of the module's code.
    fn fill(&mut self, locals: &[(u32, ValType)], step: &[I<'_>]) {
        self.repeat(locals, step, usize::MAX, BYTES);
    }

    /// Adds functions that repeat `step`, `times` in total, within `bytes`.
    fn repeat(&mut self, locals: &[(u32, ValType)], step: &[I<'_>], mut times: usize, bytes: usize) {
        let mut left = bytes;
        loop {
            let mut function = Function::new(locals.iter().copied());
            let limit = FUNCTION_BYTES.min(left);
            let mut added = 0;
            let mut size = 0;
            while added < times && size < limit {
                let before = function.byte_len();
                put(&mut function, 1, step);
                added += 1;
                size = function.byte_len() + (function.byte_len() - before);
            }
            function.instruction(&I::LocalGet(0)).instruction(&I::End);
            self.function(PLAIN, &function);
            times -= added;
            left = left.saturating_sub(function.byte_len());
            if times == 0 || left < 1024 {
                return;
            }
        }
    }
}

/// A module that is expensive to compile.
#[derive(Clone, Copy, Debug)]
pub struct Bomb {
    /// The construct that the module has a lot of.
    pub name: &'static str,
    parts: fn() -> Parts,
}

const fn bomb(name: &'static str, parts: fn() -> Parts) -> Bomb {
    Bomb { name, parts }
}

const ADD: [I<'static>; 4] = [I::LocalGet(0), I::I32Const(1), I::I32Add, I::LocalSet(0)];
const AT: MemArg = MemArg { offset: 4, align: 2, memory_index: 0 };
/// The number of parameters, and of results, of control structures and functions that have many.
const MANY: usize = 50;

/// All bombs.
pub const BOMBS: [Bomb; 30] = [
    bomb("small functions", || functions(|function| put(function, 16, &ADD))),
    bomb("empty functions", || functions(|_| {})),
    bomb("straight line", || filled(&[], &ADD)),
    bomb("memory accesses", || filled(&[], &[I::LocalGet(0), I::LocalGet(0), I::I32Load(AT), I::I32Store(AT)])),
    bomb("vectors", || {
        let shift = [I::LocalGet(1), I::LocalGet(0), I::I8x16Shl, I::LocalGet(1), I::I64x2Mul, I::LocalTee(1)];
        let mut step = shift.to_vec();
        step.extend([I::I8x16Bitmask, I::LocalSet(0)]);
        filled(&[(1, ValType::V128)], &step)
    }),
    bomb("bulk instructions", || {
        filled(&[], &[I::LocalGet(0), I::LocalGet(0), I::LocalGet(0), I::MemoryCopy { src_mem: 0, dst_mem: 0 }])
    }),
    bomb("divisions", || filled(&[], &[I::LocalGet(0), I::LocalGet(0), I::I32RemS, I::LocalSet(0)])),
    bomb("blocks", || {
        // The block and its branch each add the function's two values to the count of live values.
        let mut parts = Parts::new();
        let step = [I::Block(BlockType::Empty), I::LocalGet(0), I::BrIf(0), I::End];
        parts.repeat(&[], &step, MAX_LIVE_VALUES as usize / 4 - 64, BYTES);
        parts
    }),
    bomb("branches over locals", || {
        // Each local is read after all branches, so it is live throughout.
        const LOCALS: u32 = 510;
        let mut parts = Parts::new();
        let mut function = Function::new([(LOCALS, ValType::I32)]);
        put(
            &mut function,
            MAX_LIVE_VALUES as usize / (LOCALS as usize + 2) - 2,
            &[I::LocalGet(0), I::LocalGet(0), I::BrIf(0), I::Drop],
        );
        function.instruction(&I::LocalGet(0));
        for local in 1..LOCALS {
            put(&mut function, 1, &[I::LocalGet(local), I::I32Add]);
        }
        function.instruction(&I::End);
        parts.function(PLAIN, &function);
        parts
    }),
    bomb("locals of functions", || {
        let mut parts = Parts::new();
        for _ in FIRST..MAX_FUNCTIONS - 8 {
            let mut function = Function::new([(MAX_LIVE_VALUES as u32 / MAX_FUNCTIONS - 2, ValType::I32)]);
            function.instruction(&I::LocalGet(0)).instruction(&I::End);
            parts.function(PLAIN, &function);
        }
        parts
    }),
    bomb("functions with many values in a table", || {
        let mut parts = Parts::new();
        parts.ty(1000, 1000);
        let mut function = Function::new([]);
        function.instruction(&I::Unreachable).instruction(&I::End);
        let functions: Vec<u32> = (FIRST..FIRST + MAX_FUNCTION_VALUES as u32 / 2000).collect();
        functions.iter().for_each(|_| parts.function(OWN, &function));
        parts.table = functions.len() as u64;
        parts.elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(functions.into()));
        parts
    }),
    bomb("reads of tables", || {
        let mut parts = Parts { table: 16, ..Parts::new() };
        let step = [I::LocalGet(0), I::TableGet(0), I::Drop];
        parts.repeat(&[], &step, MAX_CALL_VALUES as usize / 17, BYTES);
        parts
    }),
    bomb("empty calls", || {
        let mut parts = Parts::new();
        parts.ty(0, 0);
        let mut called = Function::new([]);
        called.instruction(&I::End);
        parts.function(OWN, &called);
        parts.repeat(&[], &[I::Call(FIRST)], MAX_CALL_VALUES as usize, BYTES);
        parts
    }),
    bomb("nested blocks", || {
        let mut parts = Parts::new();
        for _ in 0..BYTES / FUNCTION_BYTES {
            let mut function = Function::new([]);
            // The function itself has two values.
            let depth = (FUNCTION_BYTES / 3).min(MAX_LIVE_VALUES as usize / 2 / (BYTES / FUNCTION_BYTES) - 2);
            put(&mut function, depth, &[I::Block(BlockType::Empty)]);
            put(&mut function, depth, &[I::End]);
            function.instruction(&I::LocalGet(0)).instruction(&I::End);
            parts.function(PLAIN, &function);
        }
        parts
    }),
    bomb("loops over locals", || {
        // Each loop changes a different one of many locals, and all of these are live throughout.
        const LOCALS: u32 = 500;
        let mut parts = Parts::new();
        let mut function = Function::new([(LOCALS, ValType::I32)]);
        for local in (1..LOCALS).cycle().take(MAX_LIVE_VALUES as usize / (2 * LOCALS as usize + 4) - 1) {
            let change = [I::LocalGet(local), I::LocalGet(0), I::I32Add, I::LocalTee(local), I::BrIf(0)];
            function.instruction(&I::Loop(BlockType::Empty));
            put(&mut function, 1, &change);
            function.instruction(&I::End);
        }
        function.instruction(&I::LocalGet(0)).instruction(&I::End);
        parts.function(PLAIN, &function);
        parts
    }),
    bomb("operands across blocks", || {
        // The values on the operand stack are used only after all blocks, so they are live throughout.
        let mut parts = Parts::new();
        for _ in 0..BYTES / FUNCTION_BYTES {
            let (values, blocks) = (FUNCTION_BYTES / 12, FUNCTION_BYTES / 14);
            let mut function = Function::new([]);
            for value in 0..values {
                put(&mut function, 1, &[I::LocalGet(0), I::I32Const(value as i32 % 64), I::I32Add]);
            }
            put(&mut function, blocks, &[I::Block(BlockType::Empty), I::LocalGet(0), I::BrIf(0), I::End]);
            put(&mut function, values - 1, &[I::I32Add]);
            function.instruction(&I::End);
            parts.function(PLAIN, &function);
        }
        parts
    }),
    bomb("parameters of loops", || structures(I::Loop)),
    bomb("parameters of blocks", || structures(I::Block)),
    bomb("results of ifs", || {
        let mut parts = Parts::new();
        parts.ty(0, MANY);
        let mut function = Function::new([]);
        for _ in 0..(MAX_BLOCK_VALUES as usize / MANY).min(FUNCTION_BYTES / (5 * MANY + 16)) {
            function.instruction(&I::LocalGet(0)).instruction(&I::If(BlockType::FunctionType(OWN)));
            put(&mut function, MANY, &[I::I32Const(1)]);
            function.instruction(&I::Else);
            put(&mut function, MANY, &[I::LocalGet(0)]);
            function.instruction(&I::End);
            put(&mut function, MANY, &[I::Drop]);
        }
        function.instruction(&I::LocalGet(0)).instruction(&I::End);
        parts.function(PLAIN, &function);
        parts
    }),
    bomb("calls with few values", || {
        let mut parts = Parts::new();
        let step = [I::LocalGet(0), I::Call(FIRST), I::LocalSet(0)];
        parts.repeat(&[], &step, MAX_CALL_VALUES as usize / 3, BYTES);
        parts
    }),
    bomb("calls with many values", || calls(50)),
    bomb("calls with a thousand values", || calls(1000)),
    bomb("indirect calls", || {
        let mut parts = Parts { table: 16, ..Parts::new() };
        let call = I::CallIndirect { type_index: PLAIN, table_index: 0 };
        let step = [I::LocalGet(0), I::LocalGet(0), call, I::LocalSet(0)];
        // Each call has two values, and counts as 17 more.
        parts.repeat(&[], &step, MAX_CALL_VALUES as usize / 19, BYTES);
        parts
    }),
    bomb("types", || {
        let mut parts = Parts::new();
        // One type exists already; the others all differ from each other.
        let values = (MAX_TYPE_VALUES / MAX_TYPES) as usize;
        (1..MAX_TYPES as usize).for_each(|at| parts.types_of(values, at));
        parts
    }),
    bomb("large types", || {
        let mut parts = Parts::new();
        (1..MAX_TYPE_VALUES as usize / 1000).for_each(|at| parts.types_of(1000, at));
        parts
    }),
    bomb("branch tables", || {
        let targets: Vec<u32> = vec![0; MAX_BRANCH_TARGETS as usize - 1];
        let mut parts = Parts::new();
        let step = [I::Block(BlockType::Empty), I::LocalGet(0), I::BrTable(targets.into(), 0), I::End];
        parts.repeat(&[], &step, 1, BYTES);
        parts
    }),
    bomb("branch tables of many blocks", || {
        let mut parts = Parts::new();
        const DEPTH: u32 = 127;
        let mut function = Function::new([]);
        for _ in 0..MAX_BRANCH_TARGETS as u32 / (DEPTH + 1) - 4 {
            put(&mut function, DEPTH as usize + 1, &[I::Block(BlockType::Empty)]);
            function.instruction(&I::LocalGet(0));
            function.instruction(&I::BrTable((0..DEPTH).collect::<Vec<_>>().into(), DEPTH));
            put(&mut function, DEPTH as usize + 1, &[I::End]);
        }
        function.instruction(&I::LocalGet(0)).instruction(&I::End);
        parts.function(PLAIN, &function);
        parts
    }),
    bomb("segments", || {
        let mut parts = Parts::new();
        for at in 0..MAX_SEGMENTS as i32 {
            parts.data.active(0, &ConstExpr::i32_const(at * 256), [1]);
        }
        parts
    }),
    bomb("elements", || {
        let mut parts = Parts { table: MAX_ELEMENTS, ..Parts::new() };
        let functions = vec![0; MAX_ELEMENTS as usize];
        parts.elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(functions.into()));
        parts
    }),
    bomb("globals and names", || {
        let mut names = NameMap::new();
        (0..MAX_FUNCTIONS).for_each(|at| names.append(at, &"n".repeat(1000)));
        let mut section = NameSection::new();
        section.functions(&names);
        let mut parts = functions(|_| {});
        (parts.globals, parts.names) = (MAX_DEFINITIONS as u32 - 16, Some(section));
        parts
    }),
];

/// Adds these instructions this many times.
fn put(function: &mut Function, times: usize, instructions: &[I<'_>]) {
    for instruction in instructions.iter().cycle().take(times * instructions.len()) {
        function.instruction(instruction);
    }
}

/// Returns a module with as many functions as it may have, each with this body.
fn functions(body: impl Fn(&mut Function)) -> Parts {
    let mut parts = Parts::new();
    let mut size = 0;
    for _ in FIRST..MAX_FUNCTIONS {
        let mut function = Function::new([]);
        body(&mut function);
        function.instruction(&I::LocalGet(0)).instruction(&I::End);
        size += function.byte_len() + 2;
        if size > BYTES {
            break;
        }
        parts.function(PLAIN, &function);
    }
    parts
}

fn filled(locals: &[(u32, ValType)], step: &[I<'_>]) -> Parts {
    let mut parts = Parts::new();
    parts.fill(locals, step);
    parts
}

/// Returns a module of control structures with many parameters and as many results.
fn structures(open: fn(BlockType) -> I<'static>) -> Parts {
    let mut parts = Parts::new();
    parts.ty(MANY, MANY);
    let mut function = Function::new([]);
    put(&mut function, MANY, &[I::LocalGet(0)]);
    for _ in 0..(MAX_LIVE_VALUES as usize / (2 * MANY + 2)).min(MAX_BLOCK_VALUES as usize / (2 * MANY)) {
        function.instruction(&open(BlockType::FunctionType(OWN))).instruction(&I::End);
    }
    put(&mut function, MANY - 1, &[I::I32Add]);
    function.instruction(&I::End);
    parts.function(PLAIN, &function);
    parts
}

/// Returns a module that calls a function with this many parameters and as many results.
fn calls(values: usize) -> Parts {
    let mut parts = Parts::new();
    parts.ty(values, values);
    let mut called = Function::new([]);
    for at in 0..values as u32 {
        called.instruction(&I::LocalGet(at));
    }
    called.instruction(&I::End);
    parts.function(OWN, &called);
    let mut step = vec![I::LocalGet(0); values];
    step.push(I::Call(FIRST));
    step.extend(vec![I::Drop; values]);
    parts.repeat(&[], &step, MAX_CALL_VALUES as usize / (2 * values + 1), BYTES);
    parts
}

impl Bomb {
    /// Returns the module.
    pub fn module(&self) -> Vec<u8> {
        let mut parts = (self.parts)();
        let mut module = Module::new();
        module.section(&parts.types).section(&parts.functions);
        if parts.table > 0 {
            let ty = RefType::FUNCREF;
            let table = TableType {
                element_type: ty,
                table64: false,
                minimum: parts.table,
                maximum: Some(parts.table),
                shared: false,
            };
            module.section(TableSection::new().table(table));
        }
        module.section(MemorySection::new().memory(MemoryType {
            minimum: 64,
            maximum: Some(64),
            memory64: false,
            shared: false,
            page_size_log2: None,
        }));
        let mut globals = GlobalSection::new();
        // The end of the static data, the version of the ABI and the message buffer, as the exports require; then the
        // bomb's own.
        for value in [4096, ABI_VERSION as i32, 1024].into_iter().chain((0..parts.globals).map(|at| at as i32)) {
            let ty = GlobalType { val_type: ValType::I32, mutable: false, shared: false };
            globals.global(ty, &ConstExpr::i32_const(value));
        }
        let mut exports = ExportSection::new();
        exports
            .export("memory", ExportKind::Memory, 0)
            .export("__heap_base", ExportKind::Global, 0)
            .export("kernel_abi_version", ExportKind::Global, 1)
            .export("kernel_message", ExportKind::Global, 2)
            .export("kernel_forward", ExportKind::Func, 0)
            .export(SPEC.entry_point, ExportKind::Func, 0)
            .export("kernel_info", ExportKind::Func, 1);
        module.section(&globals).section(&exports);
        if !parts.elements.is_empty() {
            module.section(&parts.elements);
        }
        module.section(&parts.code);
        if !parts.data.is_empty() {
            module.section(&parts.data);
        }
        let spec = section::encode_to_vec(&SPEC, "bombs 0.0.0");
        module.section(&CustomSection { name: section::NAME.into(), data: spec.into() });
        if let Some(names) = parts.names.take() {
            module.section(&names);
        }
        module.finish()
    }

    /// Writes the module into a pack that [`pack::key`] signs, as a malicious signer would.
    ///
    /// # Panics
    /// The pack cannot be written.
    pub fn pack(&self) -> TempDir {
        let wasm = self.module();
        let dir = TempDir::new().expect("a temporary folder");
        let spec = KernelSpecBuf::from(&SPEC);
        let kernel = Kernel::from_spec(&spec, Digest::of(&wasm), BTreeMap::new(), BTreeMap::new()).expect("a kernel");
        let manifest = Manifest {
            schema: SCHEMA.to_owned(),
            abi_version: ABI_VERSION,
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
        let write = |file: &str, bytes: &[u8]| {
            std::fs::write(dir.path().join(file), bytes).expect("the pack can be written");
        };
        std::fs::create_dir(dir.path().join("bomb")).expect("a folder");
        write("bomb/bomb.wasm", &wasm);
        write(pack::MANIFEST, &manifest);
        write(pack::SIGNATURE, &pack::key().sign(&manifest));
        dir
    }
}
