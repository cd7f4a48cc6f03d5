//! Compiles the parts of WAMR that make up its compiler: the compiler itself, the module loader, and what these two
//! call.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::llvm::Llvm;

/// Single files; the folders in [`FOLDERS`] are compiled completely.
const FILES: [&str; 21] = [
    "core/iwasm/aot/aot_intrinsic.c",
    "core/iwasm/aot/aot_loader.c",
    "core/iwasm/aot/aot_runtime.c",
    "core/iwasm/aot/arch/aot_reloc_dummy.c",
    "core/iwasm/common/arch/invokeNative_general.c",
    "core/iwasm/common/wasm_blocking_op.c",
    "core/iwasm/common/wasm_c_api.c",
    "core/iwasm/common/wasm_exec_env.c",
    "core/iwasm/common/wasm_loader_common.c",
    "core/iwasm/common/wasm_memory.c",
    "core/iwasm/common/wasm_native.c",
    "core/iwasm/common/wasm_runtime_common.c",
    "core/iwasm/interpreter/wasm_interp_classic.c",
    "core/iwasm/interpreter/wasm_loader.c",
    "core/iwasm/interpreter/wasm_runtime.c",
    "core/shared/mem-alloc/mem_alloc.c",
    "core/shared/platform/common/memory/mremap.c",
    "core/shared/platform/common/posix/posix_malloc.c",
    "core/shared/platform/common/posix/posix_memmap.c",
    "core/shared/platform/common/posix/posix_thread.c",
    "core/shared/platform/common/posix/posix_time.c",
];

const FOLDERS: [&str; 5] = [
    "core/iwasm/compilation",
    "core/iwasm/compilation/simd",
    "core/shared/mem-alloc/ems",
    "core/shared/platform/linux",
    "core/shared/utils",
];

const INCLUDES: [&str; 10] = [
    "core",
    "core/iwasm/aot",
    "core/iwasm/common",
    "core/iwasm/compilation",
    "core/iwasm/include",
    "core/iwasm/interpreter",
    "core/shared/mem-alloc",
    "core/shared/platform/include",
    "core/shared/platform/linux",
    "core/shared/utils",
];

/// The features that modules may use, and properties of the compiled code. Shared memory must be off; `c/compile.c`
/// says why.
const FEATURES: [(&str, &str); 21] = [
    ("WASM_ENABLE_AOT", "1"),
    ("WASM_ENABLE_INTERP", "1"),
    ("WASM_ENABLE_WAMR_COMPILER", "1"),
    ("WASM_ENABLE_BULK_MEMORY", "1"),
    ("WASM_ENABLE_BULK_MEMORY_OPT", "1"),
    ("WASM_ENABLE_REF_TYPES", "1"),
    ("WASM_ENABLE_CALL_INDIRECT_OVERLONG", "1"),
    ("WASM_ENABLE_SIMD", "1"),
    ("WASM_ENABLE_EXTENDED_CONST_EXPR", "1"),
    ("WASM_ENABLE_LOAD_CUSTOM_SECTION", "1"),
    ("WASM_ENABLE_SHARED_MEMORY", "0"),
    ("WASM_ENABLE_THREAD_MGR", "0"),
    ("WASM_ENABLE_TAIL_CALL", "0"),
    ("WASM_ENABLE_GC", "0"),
    ("WASM_ENABLE_MEMORY64", "0"),
    ("WASM_ENABLE_MULTI_MODULE", "0"),
    ("WASM_ENABLE_LIBC_BUILTIN", "0"),
    ("WASM_ENABLE_LIBC_WASI", "0"),
    // Memory is as the module declares it, since hosts place calls accordingly.
    ("WASM_ENABLE_SHRUNK_MEMORY", "0"),
    ("WASM_DISABLE_HW_BOUND_CHECK", "1"),
    ("WASM_DISABLE_STACK_HW_BOUND_CHECK", "1"),
];

/// Functions in a file that are replaced by functions of `c/compile.c`, which gives the reasons.
const REPLACED: [(&str, &str, &str); 2] = [
    ("core/iwasm/compilation/aot_compiler.c", "LLVMVerifyModule", "kernelpack_verify"),
    ("core/iwasm/compilation/simd/simd_conversions.c", "aot_call_llvm_intrinsic", "kernelpack_call"),
];

/// Compiles the C and the C++ files into a static library each.
pub(crate) fn compile(root: &Path, llvm: &Llvm) {
    let mut files: Vec<PathBuf> = FILES.iter().map(|file| root.join(file)).collect();
    for folder in FOLDERS {
        let folder = root.join(folder);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    // Sorted, so that the order does not depend on the file system.
    files.sort();
    let of_kind = |kind: &'static str| {
        let files = files.iter();
        files.filter(move |file| file.extension().is_some_and(|extension| extension == kind)).cloned()
    };

    let mut build = cc::Build::new();
    // The compiler runs rarely and briefly, so compiling it fast matters more than its speed; LLVM does the work.
    build.opt_level(1).debug(false).warnings(false).define("BH_MALLOC", "wasm_runtime_malloc");
    build.define("BH_FREE", "wasm_runtime_free").define("BH_PLATFORM_LINUX", None).define("_GNU_SOURCE", None);
    build.includes(INCLUDES.iter().map(|include| root.join(include)));
    build.flag("-isystem").flag(llvm.include.as_os_str());
    for (name, value) in FEATURES {
        build.define(name, value);
    }
    // LLVM's headers require these.
    build.define("__STDC_CONSTANT_MACROS", None).define("__STDC_FORMAT_MACROS", None);
    build.define("__STDC_LIMIT_MACROS", None);

    let mut c = build.clone();
    c.std("gnu11");
    let mut others = c.clone();
    others.file("c/compile.c");
    for file in of_kind("c") {
        match REPLACED.iter().find(|(name, _, _)| file.ends_with(name)) {
            Some((_, theirs, ours)) => {
                let mut one = build.clone();
                one.std("gnu11").define(theirs, *ours);
                c.objects(one.file(file).compile_intermediates());
            }
            None => {
                others.file(file);
            }
        }
    }
    c.objects(others.compile_intermediates()).compile("kernelpack_wamrc");
    let mut cxx = build;
    cxx.cpp(true).flag(&llvm.standard).flag("-fno-rtti").flag("-fno-exceptions");
    cxx.files(of_kind("cpp")).compile("kernelpack_wamrc_llvm");
}
