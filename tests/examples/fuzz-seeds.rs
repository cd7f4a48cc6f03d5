//! Writes the seeds of the fuzz targets, small inputs made from real files, into the given folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use kernelpack_abi::{
    Dim, KernelDescriptor, KernelSpec, ParamType, ParamValue, Role, Shape, Signature, exports,
    layout::{self, Cursor},
    native::NativeKernel,
    params::{self, TensorEntry},
    section,
};
use kernelpack_fixture_with_std as _;
use kernelpack_kernels as _;
use kernelpack_manifest::{AOT_CHECKS, AOT_RECORD, AotFacts, AotRecord, AotTarget, Digest, Kernel, Manifest};
use kernelpack_tests::pack;
use wasmparser::{Parser, Payload};
use zerocopy::IntoBytes;

/// Larger files only slow down a fuzzer.
const MAX_SEED: usize = 8 << 10;
/// Manifests have seeds of their own, so only the smallest manifests of packs are used.
const MAX_PACK_MANIFEST: usize = 1700;

fn main() -> io::Result<()> {
    let out = PathBuf::from(std::env::args_os().nth(1).expect("name the folder of the seeds, `fuzz/seeds`"));
    // Removes seeds of former kernels, and files that a fuzzer added.
    if out.is_dir() {
        fs::remove_dir_all(&out)?;
    }
    for pack in [pack::core(), pack::fixture("with-std"), pack::fixture("without-std")] {
        seeds_of_pack(&out, pack)?;
    }
    seeds_of_calls(&out.join("call"))?;
    write(&out.join("aot"), "empty", &aot_file())?;
    for (name, key) in [("public.pem", pack::key().public().to_pem()), ("id", pack::key().public().id())] {
        write(&out.join("keys"), name, key.as_bytes())?;
    }
    // The tests' key is not secret.
    write(&out.join("keys"), "secret.pem", pack::key().to_pem().as_bytes())?;
    for name in ["rmsnorm_f32-1x64-s1", "kv_q8-1x32-s1", "swiglu_f16-1x64-s1"] {
        let bytes = fs::read(pack::workspace().join(format!("tests/golden/{name}.safetensors")))?;
        write(&out.join("tensors"), name, &bytes)?;
    }
    Ok(())
}

/// Writes manifests of one kernel each, sections, and packs of one module each.
fn seeds_of_pack(out: &Path, dir: &Path) -> io::Result<()> {
    let mut whole = Manifest::parse(&fs::read(dir.join(pack::MANIFEST))?).expect("the pack is well-formed");
    // The time is fixed, so that seeds change only with the kernels.
    "2026-01-18T00:00:00Z".clone_into(&mut whole.created_at);
    for kernel in &whole.kernels {
        let (id, wasm) = (kernel.id.as_str(), fs::read(dir.join(&kernel.path))?);
        let fallback = whole.fallbacks.get_key_value(id).map(|(id, name)| (id.clone(), name.clone()));
        let one =
            Manifest { kernels: vec![kernel.clone()], fallbacks: fallback.into_iter().collect(), ..whole.clone() };
        write(&out.join("manifest"), id, &one.to_json())?;
        for payload in Parser::new(0).parse_all(&wasm) {
            if let Payload::CustomSection(custom) = payload.expect("the module is valid")
                && custom.name() == section::NAME
            {
                write(&out.join("section"), id, custom.data())?;
            }
        }
        // Each kernel gives packs with its module, if that is small enough, and with a module that has the same exports
        // but no code.
        let inert = inert_module(kernel, &wasm);
        for (name, manifest, module) in [
            (format!("{id}.manifest"), one.to_json(), &inert),
            (format!("{id}.inert"), Vec::new(), &inert),
            (format!("{id}.module"), Vec::new(), &wasm),
        ] {
            let parts = [&manifest, module].map(|part| [&(part.len() as u32).to_le_bytes(), part.as_slice()].concat());
            if manifest.len() < MAX_PACK_MANIFEST {
                write(&out.join("pack"), &name, &parts.concat())?;
            }
        }
    }
    Ok(())
}

/// Returns a module with the exports and the section of a kernel, whose functions do nothing.
fn inert_module(kernel: &Kernel, wasm: &[u8]) -> Vec<u8> {
    let mut more = String::new();
    for (declared, name, params) in [
        (kernel.init, exports::INIT, "(param i32 i32)"),
        (kernel.backward.is_some(), exports::BACKWARD, "(param i32)"),
        (kernel.cleanup, exports::CLEANUP, ""),
    ] {
        if declared {
            more += &format!("(func (export {name:?}) {params} (result i32) i32.const 0)");
        }
    }
    let text = format!(
        r#"(module (memory (export "memory") 1 {})
            (global (export "__heap_base") i32 (i32.const 4096)) (global (export "kernel_abi_version") i32 (i32.const 1))
            (global (export "kernel_message") i32 (i32.const 1024))
            (func (export "kernel_forward") (export {:?}) (param i32) (result i32) i32.const 0)
            (func (export "kernel_info") (param i32) (result i32) i32.const 0) {more})"#,
        kernel.resource_limits.max_memory_pages, kernel.entry_point
    );
    let mut module = wat::parse_str(text).expect("the text is a module");
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CustomSection(custom) = payload.expect("the module is valid")
            && custom.name() == section::NAME
        {
            // An id, and a size that includes the length-prefixed name.
            let size = 1 + section::NAME.len() + custom.data().len();
            assert!(size < 1 << 14, "the section is small");
            module.extend([0, size as u8 | 0x80, (size >> 7) as u8, section::NAME.len() as u8]);
            module.extend(section::NAME.bytes().chain(custom.data().iter().copied()));
        }
    }
    module
}

/// Writes a valid call for each pass of each kernel: the index of its signature, followed by its memory.
fn seeds_of_calls(out: &Path) -> io::Result<()> {
    let mut kernels: Vec<_> = NativeKernel::all().collect();
    kernels.sort_by_key(|kernel| kernel.spec.id);
    let mut index = 0u8;
    for NativeKernel { spec, .. } in kernels {
        let KernelSpec { id, forward, backward, .. } = spec;
        for (pass, signature) in [("forward", Some(forward)), ("backward", backward.as_ref())] {
            let Some(signature) = signature else { continue };
            write(out, &format!("{id}.{pass}"), &call(index, signature))?;
            index += 1;
        }
    }
    Ok(())
}

/// Gives each symbol the smallest value from 2 on that satisfies the divisors in the shapes.
fn call(index: u8, signature: &Signature<'_>) -> Vec<u8> {
    const FLOOR: u32 = 32;
    let dims: Vec<_> = (0..signature.symbols.len() as u8).map(Dim::Symbol).collect();
    let mut values = vec![2; dims.len()];
    for dim in signature.tensors.iter().flat_map(|tensor| tensor.dims) {
        if let Dim::Div(symbol, by) = *dim {
            values[usize::from(symbol)] = by as usize;
        }
    }
    let shape = Shape::new(&values).ok().filter(|_| dims.len() <= kernelpack_abi::MAX_RANK);
    let symbols = kernelpack_abi::Symbols::bind([(&dims[..], shape)].into_iter()).expect("symbols have a value each");

    let scalars_size = params::scalars_size(signature.params);
    let mut scalars = vec![0; scalars_size as usize];
    for (at, param) in signature.params.iter().enumerate() {
        let value = param.default.unwrap_or(match param.ty {
            ParamType::F32 => ParamValue::F32(1.0),
            ParamType::U32 => ParamValue::U32(1),
            ParamType::I32 => ParamValue::I32(1),
            ParamType::Bool => ParamValue::Bool(true),
        });
        assert!(params::write_scalar(&mut scalars, signature.params, at, value));
    }
    let mut cursor = Cursor::new(FLOOR);
    let mut place = |size: u64| cursor.place(size).expect("the call is small");
    let descriptor_at = place(u64::from(KernelDescriptor::SIZE));
    let block_size = params::block_size(signature.tensors.len(), scalars_size);
    let block_at = place(u64::from(block_size));
    let entries: Vec<TensorEntry> = signature
        .tensors
        .iter()
        .map(|tensor| {
            let shape = match tensor.role {
                Role::Scratch => Shape::new(&[symbols.len(tensor.len).expect("a length") as usize]).expect("a shape"),
                _ => symbols.shape(tensor.dims).expect("a shape"),
            };
            let bytes = shape.bytes(tensor.dtype);
            TensorEntry::new(place(bytes), tensor.dtype, tensor.role, shape).expect("a small tensor")
        })
        .collect();
    let descriptor = layout::describe(block_at, block_size, &entries);
    let mut memory = vec![0; cursor.end() as usize];
    memory[descriptor_at as usize..][..KernelDescriptor::SIZE as usize].copy_from_slice(descriptor.as_bytes());
    assert!(params::write(&mut memory[block_at as usize..][..block_size as usize], &entries, &scalars));
    let head = [&[index, (FLOOR / 16) as u8, 0, 0][..], &descriptor_at.to_le_bytes()].concat();
    [head, memory].concat()
}

/// Returns a file for x86-64 with all of its sections but no code, laid out as WAMR's compiler and `kernelpack aot` do.
fn aot_file() -> Vec<u8> {
    let record = AotRecord {
        target: AotTarget::X86_64,
        source: Digest::of(b""),
        version: "2.4.3".parse().expect("a version"),
        llvm: "14.0.6".to_owned(),
        options: AOT_CHECKS.map(str::to_owned).into(),
    };
    let mut file = b"\0aot\x06\0\0\0".to_vec();
    let mut section = |kind: u32, content: &[u8]| {
        file.resize(file.len().next_multiple_of(4), 0);
        file.extend(kind.to_le_bytes().into_iter().chain((content.len() as u32).to_le_bytes()));
        file.extend(content);
    };
    // Little-endian, 64 bits; no ABI; relocatable; x86-64; ELF's version and flags; the flag that the code checks for
    // termination.
    let mut info = [2u16, 0, 1, 62].map(u16::to_le_bytes).concat();
    info.extend([1, 0, 1 << 2, 0, 0, 0].map(u32::to_le_bytes).concat());
    info.extend(b"x86_64\0\0\0\0\0\0\0\0\0\0");
    section(0, &info);
    (1..6).for_each(|kind| section(kind, &[0; 4]));
    let name = AOT_RECORD.len() as u16 + 1;
    section(100, &[&[0; 4], &name.to_le_bytes()[..], AOT_RECORD.as_bytes(), b"\0", &record.to_json()].concat());
    assert!(AotFacts::read(&file).is_ok(), "the seed is a file that is read");
    file
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    if bytes.len() > MAX_SEED { Ok(()) } else { fs::write(dir.join(name), bytes) }
}
