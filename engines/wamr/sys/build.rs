//! Compiles WAMR with the C compiler alone.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use cc::Build;

/// Definitions that do not depend on the target or on this crate's features, with reasons where these are not obvious.
const DEFINES: &[(&str, &str)] = &[
    ("BH_MALLOC", "wasm_runtime_malloc"),
    ("BH_FREE", "wasm_runtime_free"),
    // Linear memory, too, comes from the host's allocator rather than from the system.
    ("WASM_MEM_ALLOC_WITH_USAGE", "1"),
    // Checks are in software: no signal handler of this process is replaced, and nothing is mapped.
    ("WASM_DISABLE_HW_BOUND_CHECK", "1"),
    ("WASM_DISABLE_STACK_HW_BOUND_CHECK", "1"),
    ("WASM_DISABLE_WRITE_GS_BASE", "1"),
    // Nothing in a guest blocks, so no signal is needed to wake it up.
    ("WASM_DISABLE_WAKEUP_BLOCKING_OP", "1"),
    // Calls are stopped through the thread manager's flags.
    ("WASM_ENABLE_THREAD_MGR", "1"),
    // Memory is as the module declares it: hosts place calls in pages that they add after it.
    ("WASM_ENABLE_SHRUNK_MEMORY", "0"),
    // The features that kernels may use.
    ("WASM_ENABLE_BULK_MEMORY", "1"),
    ("WASM_ENABLE_BULK_MEMORY_OPT", "1"),
    ("WASM_ENABLE_REF_TYPES", "1"),
    ("WASM_ENABLE_CALL_INDIRECT_OVERLONG", "1"),
    ("WASM_ENABLE_SHARED_MEMORY", "0"),
    ("WASM_ENABLE_LIBC_BUILTIN", "0"),
    ("WASM_ENABLE_LIBC_WASI", "0"),
    // A library does not print.
    ("BH_LOG", "kernelpack_wamr_log"),
];

/// The functions that native code calls for bulk instructions, and their replacements in `bulk.c`. Symbols keep their
/// names and are resolved to these.
const BULK: &[(&str, &str)] = &[
    ("aot_memset", "kernelpack_wamr_memset"),
    ("aot_memmove", "kernelpack_wamr_memmove"),
    ("aot_memory_init", "kernelpack_wamr_memory_init"),
    ("aot_enlarge_memory", "kernelpack_wamr_enlarge_memory"),
    ("aot_table_init", "kernelpack_wamr_table_init"),
    ("aot_table_copy", "kernelpack_wamr_table_copy"),
    ("aot_table_fill", "kernelpack_wamr_table_fill"),
    ("__aeabi_memcpy", "kernelpack_wamr_aeabi_memmove"),
    ("__aeabi_memmove", "kernelpack_wamr_aeabi_memmove"),
    ("__aeabi_memset", "kernelpack_wamr_aeabi_memset"),
    ("__aeabi_memclr", "kernelpack_wamr_aeabi_memclr"),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
    let sources = kernelpack_wamr_sources::find().unwrap_or_else(|error| panic!("{error}"));
    let target = Target::of_build();
    let core = sources.root.join("core");
    let iwasm = core.join("iwasm");
    let platform = core.join("shared/platform");

    let mut build = Build::new();
    build.warnings(false).define("_GNU_SOURCE", None);
    for (name, value) in DEFINES {
        build.define(name, *value);
    }
    for include in [
        iwasm.join("include"),
        iwasm.join("common"),
        iwasm.join("interpreter"),
        iwasm.join("aot"),
        iwasm.join("libraries/thread-mgr"),
        core.join("shared/utils"),
        core.join("shared/mem-alloc"),
        platform.join("include"),
        platform.join(target.platform),
        core,
    ] {
        build.include(include);
    }
    target.configure(&mut build);

    let mut files = Vec::new();
    let (interp, aot) = (feature("INTERP"), feature("AOT"));
    assert!(interp || aot, "switch on one of the features interp and aot");
    build.define("WASM_ENABLE_INTERP", flag(interp)).define("WASM_ENABLE_FAST_INTERP", flag(interp));
    build.define("WASM_ENABLE_AOT", flag(aot));
    // SIMD is only for native code: the interpreter would need a library for it, and would not be faster.
    let simd = aot && target.simd;
    build.define("WASM_ENABLE_SIMD", flag(simd)).define("WASM_ENABLE_SIMDE", "0");
    if interp {
        files.extend(["wasm_loader.c", "wasm_runtime.c"].map(|c| iwasm.join("interpreter").join(c)));
        // `interp.c` includes `wasm_interp_fast.c`.
        files.push(PathBuf::from("src/interp.c"));
    }
    if aot {
        files.extend(["aot_runtime.c", "aot_intrinsic.c"].map(|c| iwasm.join("aot").join(c)));
        // `shim.c` must see what the loader unmaps.
        let mut loader = build.clone();
        loader.define("os_munmap", "kernelpack_wamr_munmap").file(iwasm.join("aot/aot_loader.c"));
        build.objects(loader.compile_intermediates());
        let mut relocations = build.clone();
        for (name, stand_in) in BULK {
            relocations.define(name, *stand_in);
        }
        relocations.file(iwasm.join("aot/arch").join(target.relocations));
        build.objects(relocations.compile_intermediates());
    }
    // The entry point for applications is not used.
    files.extend(c_files(&iwasm.join("common"), &["wasm_application.c"]));
    files.push(iwasm.join("common/arch").join(if simd { target.invoke_simd } else { target.invoke }));
    files.push(iwasm.join("libraries/thread-mgr/thread_manager.c"));
    files.extend(c_files(&sources.root.join("core/shared/utils"), &[]));
    files.push(sources.root.join("core/shared/mem-alloc/mem_alloc.c"));
    files.extend(c_files(&sources.root.join("core/shared/mem-alloc/ems"), &[]));
    files.extend(c_files(&platform.join(target.platform), &[]));
    // Files, sockets and clocks are only for WASI.
    files.extend(c_files(&platform.join("common/posix"), &["posix_file.c", "posix_clock.c", "posix_socket.c"]));
    if target.platform != "linux" {
        build.define("WASM_HAVE_MREMAP", "0");
        files.extend(c_files(&platform.join("common/memory"), &[]));
    } else {
        build.define("WASM_HAVE_MREMAP", "1");
    }
    files.extend(["src/bulk.c", "src/shim.c"].map(PathBuf::from));
    build.files(files).compile("kernelpack_wamr");
}

/// The parts of WAMR that depend on the target.
struct Target {
    platform: &'static str,
    /// WAMR's name for the processor.
    define: &'static str,
    /// The name in AOT files, if it differs from the processor's.
    name: Option<&'static str>,
    invoke: &'static str,
    /// Like `invoke`, but for calls that may pass vectors.
    invoke_simd: &'static str,
    relocations: &'static str,
    thumb: bool,
    simd: bool,
}

impl Target {
    fn of_build() -> Self {
        let [os, arch, abi, triple] =
            ["CARGO_CFG_TARGET_OS", "CARGO_CFG_TARGET_ARCH", "CARGO_CFG_TARGET_ABI", "TARGET"]
                .map(|name| env::var(name).unwrap_or_default());
        let platform = match os.as_str() {
            "linux" => "linux",
            "android" => "android",
            "macos" => "darwin",
            "freebsd" => "freebsd",
            _ => panic!("WAMR is not built for {triple}: only for Linux, Android, macOS and FreeBSD"),
        };
        let (define, name, invoke, relocations) = match (arch.as_str(), abi.as_str()) {
            ("x86_64", _) => ("BUILD_TARGET_X86_64", None, "invokeNative_em64.s", "aot_reloc_x86_64.c"),
            ("x86", _) => ("BUILD_TARGET_X86_32", None, "invokeNative_ia32.s", "aot_reloc_x86_32.c"),
            ("aarch64", _) => {
                ("BUILD_TARGET_AARCH64", Some("AARCH64"), "invokeNative_aarch64.s", "aot_reloc_aarch64.c")
            }
            // Thumb-2, so that the same AOT files run on application processors and on microcontrollers.
            ("arm", "eabihf") => {
                ("BUILD_TARGET_THUMB_VFP", Some("THUMBV7"), "invokeNative_thumb_vfp.s", "aot_reloc_thumb.c")
            }
            ("arm", _) => ("BUILD_TARGET_THUMB", Some("THUMBV7"), "invokeNative_thumb.s", "aot_reloc_thumb.c"),
            ("riscv64", _) => ("BUILD_TARGET_RISCV64_LP64D", None, "invokeNative_riscv.S", "aot_reloc_riscv.c"),
            _ => panic!("WAMR is not built for {triple}: only for x86-64, x86, AArch64, Arm and RISC-V"),
        };
        let invoke_simd = match arch.as_str() {
            "x86_64" => "invokeNative_em64_simd.s",
            "aarch64" => "invokeNative_aarch64_simd.s",
            _ => invoke,
        };
        let simd = invoke_simd != invoke;
        Self { platform, define, name, invoke, invoke_simd, relocations, thumb: arch == "arm", simd }
    }

    fn configure(&self, build: &mut Build) {
        build.define(self.define, None).define(&format!("BH_PLATFORM_{}", self.platform.to_uppercase()), None);
        if let Some(name) = self.name {
            build.define("BUILD_TARGET", format!("\"{name}\"").as_str());
        }
        if self.thumb {
            build.flag("-mthumb");
        }
    }
}

/// Returns the C files of a folder in a fixed order, except some.
fn c_files(dir: &Path, without: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("cannot list {}: {error}", dir.display()));
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension() == Some(OsStr::new("c")))
        .filter(|path| !without.iter().any(|name| path.ends_with(name)))
        .collect();
    files.sort();
    files
}

fn feature(name: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}

fn flag(on: bool) -> &'static str {
    if on { "1" } else { "0" }
}
