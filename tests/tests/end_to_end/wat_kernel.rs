//! Packs of one kernel with a hand-written module, signed by a trusted key: a hostile author.

use std::collections::BTreeMap;

use kernelpack_abi::{
    DType, Dim, Expr, KernelSpec, KernelSpecBuf, Lifecycle, ParamSpec, ParamType, ParamValue, ResourceLimits, Role,
    Signature, TensorSpec, section,
};
use kernelpack_host::{DynKernel, Error, Pack, error::KernelError, pack::VerifiedPack, tensor::DynView};
use kernelpack_manifest::{Digest, Kernel, Manifest};
pub(crate) use kernelpack_tests::section::append_custom_section;
use kernelpack_tests::{
    engine::Engine,
    pack::{self, Copy},
};

/// The kernel's description: y and x of n elements, and an integer.
pub(crate) const SPEC: KernelSpec<'static> = KernelSpec {
    id: "wat_kernel",
    name: "wat_kernel",
    description: "",
    category: "test",
    family: "wat",
    entry_point: "wat_forward",
    fallback: "",
    limits: ResourceLimits {
        max_memory_pages: 64,
        max_epoch_ticks: 5,
        max_table_elements: 16,
        ..ResourceLimits::DEFAULT
    },
    lifecycle: Lifecycle { init: false, cleanup: false },
    forward: Signature {
        symbols: &["n"],
        tensors: &[
            TensorSpec {
                name: "x",
                dtype: DType::F32,
                role: Role::In,
                optional: false,
                dims: &[Dim::Symbol(0)],
                len: Expr(&[]),
            },
            TensorSpec {
                name: "y",
                dtype: DType::F32,
                role: Role::Out,
                optional: false,
                dims: &[Dim::Symbol(0)],
                len: Expr(&[]),
            },
        ],
        params: &[ParamSpec { name: "mode", ty: ParamType::I32, default: Some(ParamValue::I32(0)) }],
    },
    backward: None,
    split: &[],
};

/// The contents of a module; tests change one part at a time.
pub(crate) struct Parts {
    pub(crate) imports: &'static str,
    pub(crate) memory: &'static str,
    pub(crate) globals: &'static str,
    pub(crate) forward: &'static str,
    pub(crate) exports: &'static str,
    pub(crate) rest: &'static str,
    pub(crate) spec: KernelSpec<'static>,
    pub(crate) section: bool,
}

impl Default for Parts {
    /// Returns a module whose kernel succeeds if `mode`, the scalar after two tensors, is 0.
    fn default() -> Self {
        Self {
            imports: "",
            memory: r#"(memory (export "memory") 2 64)"#,
            globals: r#"(global (export "__heap_base") i32 (i32.const 4096))
                (global (export "kernel_abi_version") i32 (i32.const 1))
                (global (export "kernel_message") i32 (i32.const 1024))"#,
            forward: "i32.const 0",
            exports: r#"(export "kernel_forward" (func $forward)) (export "wat_forward" (func $forward))
                (func (export "kernel_info") (param i32) (result i32) i32.const 0)"#,
            rest: "",
            spec: SPEC,
            section: true,
        }
    }
}

impl Parts {
    /// Returns a module whose forward pass has this body; `$mode` is the scalar.
    pub(crate) fn forward(forward: &'static str) -> Self {
        Self { forward, ..Self::default() }
    }

    pub(crate) fn wasm(&self) -> Vec<u8> {
        let Self { imports, memory, globals, forward, exports, rest, .. } = self;
        let text = format!(
            r#"(module {imports} {memory} {globals} {exports} {rest}
                (func $forward (param $descriptor i32) (result i32) (local $mode i32)
                    ;; the params block is at descriptor + 32, the scalars behind a header and two rows of the table
                    (local.set $mode (i32.load offset=112 (i32.load offset=32 (local.get $descriptor))))
                    {forward}))"#
        );
        let mut wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        if self.section {
            append_custom_section(&mut wasm, section::NAME, &entry(&self.spec));
        }
        wasm
    }

    /// Returns the folder of a pack with this module, valid or not.
    pub(crate) fn pack(&self) -> Copy {
        self.pack_with(|_| {})
    }

    /// Like [`pack`](Self::pack), with the manifest changed before it is signed.
    pub(crate) fn pack_with(&self, change: impl FnOnce(&mut Manifest)) -> Copy {
        let wasm = self.wasm();
        let entry = Kernel::from_spec(&KernelSpecBuf::from(&SPEC), Digest::of(&wasm), BTreeMap::new(), BTreeMap::new());
        let pack = Copy::of(pack::core());
        let mut manifest = Manifest { kernels: vec![entry.unwrap()], fallbacks: BTreeMap::new(), ..pack.manifest() };
        change(&mut manifest);
        for folder in ["health", "kv", "lora", "rmsnorm", "rope", "swiglu"] {
            std::fs::remove_dir_all(pack.path().join(folder)).unwrap();
        }
        pack.write("wat/wat_kernel.wasm", &wasm);
        pack.sign(&manifest.to_json());
        pack
    }

    pub(crate) fn open(&self, engine: Engine) -> Pack {
        engine.ready(self.pack()).open(engine).unwrap()
    }

    pub(crate) fn refusal(&self) -> String {
        let refused = VerifiedPack::open(self.pack().path(), &pack::runtime().verifier()).unwrap_err();
        assert!(matches!(refused, Error::Rejected(_)), "{refused}");
        refused.to_string()
    }
}

/// Calls the kernel on four floats with this mode.
pub(crate) fn call(kernel: &DynKernel, mode: i32) -> Result<Vec<f32>, Error> {
    let x: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0].into_iter().flat_map(f32::to_le_bytes).collect();
    let shape = kernelpack_abi::Shape::new(&[4]).unwrap();
    let results =
        kernel.run(&[("x", DynView { dtype: DType::F32, shape, bytes: &x })], &[("mode", ParamValue::I32(mode))])?;
    Ok(results[0].bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Returns the kernel's error when called with this mode.
pub(crate) fn trap(kernel: &DynKernel, mode: i32) -> KernelError {
    match call(kernel, mode) {
        Err(Error::Kernel(trapped)) => trapped.error,
        Err(other) => panic!("{other}"),
        Ok(y) => panic!("the call succeeded: {y:?}"),
    }
}

/// Returns the section's entry for a spec.
pub(crate) fn entry(spec: &KernelSpec<'_>) -> Vec<u8> {
    section::encode_to_vec(spec, "hand-written 0.0.0")
}
