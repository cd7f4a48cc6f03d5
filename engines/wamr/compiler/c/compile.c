/*
 * The one entry into WAMR's compiler: from a module to an .aot file, both in memory.
 *
 * Owns the order of its steps and the checks in the code that it makes; `src/native.rs` declares the same structure.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "aot.h"
#include "aot_compiler.h"
#include "aot_emit_aot_file.h"
#include "aot_llvm.h"
#include "bh_log.h"
#include "wasm_export.h"

/* The flag that WAMR's compiler checks in a memory. */
#define SHARED_MEMORY 0x02

struct kernelpack_request {
    const char *arch;
    const char *abi;
    const char *cpu;
    const char *features;
    /* The file that LLVM writes the sizes of stack frames to. */
    const char *stack_usage_file;
    /* The custom section that is copied from the module to the .aot file. */
    const char *section;
    uint32_t opt_level;
    uint32_t size_level;
};

static void
say(char *message, uint32_t size, const char *text)
{
    if (size)
        snprintf(message, size, "%s", text ? text : "unknown error");
}

/* Limits a resource of this process, which a module could otherwise exhaust. */
static void
limit(int resource, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now) == 0) {
        if (now.rlim_max != RLIM_INFINITY && now.rlim_max < most)
            most = now.rlim_max;
        now.rlim_cur = now.rlim_max = most;
        setrlimit(resource, &now);
    }
}

/* Replaces LLVMVerifyModule in aot_compiler.c, which misreads the result and continues with a module that LLVM finds
   broken. This returns the result that makes it stop, and the message. */
LLVMBool
kernelpack_verify(LLVMModuleRef module, LLVMVerifierFailureAction action, char **message)
{
    (void)action;
    if (LLVMVerifyModule(module, LLVMReturnStatusAction, message))
        return 0;
    LLVMDisposeMessage(*message);
    *message = NULL;
    return 0;
}

/* Replaces aot_call_llvm_intrinsic in simd_conversions.c, which on machines other than x86_64 narrows i32x4 with the
   bounds of i16x8, and so makes a broken module. The vector's type shows which bounds are right. */
LLVMValueRef
kernelpack_call(const AOTCompContext *comp_ctx, const AOTFuncContext *func_ctx, const char *name, LLVMTypeRef result,
                LLVMTypeRef *types, int count, ...)
{
    LLVMTypeRef i32x4[2] = { V128_i32x4_TYPE, V128_i32x4_TYPE };
    LLVMValueRef value;
    va_list peek, arguments;

    va_start(peek, count);
    if (count == 2 && LLVMTypeOf(va_arg(peek, LLVMValueRef)) == V128_i32x4_TYPE) {
        if (!strcmp(name, "llvm.smin.v8i16"))
            name = "llvm.smin.v4i32", result = V128_i32x4_TYPE, types = i32x4;
        else if (!strcmp(name, "llvm.smax.v8i16"))
            name = "llvm.smax.v4i32", result = V128_i32x4_TYPE, types = i32x4;
    }
    va_end(peek);

    va_start(arguments, count);
    value = aot_call_llvm_intrinsic_v(comp_ctx, func_ctx, name, result, types, count, arguments);
    va_end(arguments);
    return value;
}

void
kernelpack_limit(uint64_t memory, uint64_t seconds)
{
    limit(RLIMIT_AS, (rlim_t)memory);
    limit(RLIMIT_CPU, (rlim_t)seconds);
    limit(RLIMIT_CORE, 0);
}

/* Returns the file, to be passed to kernelpack_release, or NULL with a message. The module is changed. */
uint8_t *
kernelpack_compile(const struct kernelpack_request *request, uint8_t *wasm, uint32_t wasm_size, uint32_t *aot_size,
                   char *message, uint32_t message_size)
{
    RuntimeInitArgs runtime;
    AOTCompOption option;
    wasm_module_t module;
    AOTCompData *data = NULL;
    AOTCompContext *context = NULL;
    char *sections[1] = { (char *)request->section };
    uint32_t flags;
    uint8_t *aot = NULL;

    /* With these, WAMR would run other programs. */
    unsetenv("WAMRC_LLC_COMPILER");
    unsetenv("WAMRC_ASM_COMPILER");

    memset(&runtime, 0, sizeof(runtime));
    runtime.mem_alloc_type = Alloc_With_System_Allocator;
    if (!wasm_runtime_full_init(&runtime)) {
        say(message, message_size, "WAMR cannot be initialized");
        return NULL;
    }
    bh_log_set_verbose_level(0);

    if (!(module = wasm_runtime_load(wasm, wasm_size, message, message_size)))
        goto end_runtime;

    memset(&option, 0, sizeof(option));
    option.target_arch = (char *)request->arch;
    option.target_abi = (char *)request->abi;
    option.target_cpu = (char *)request->cpu;
    option.cpu_features = (char *)request->features;
    option.opt_level = request->opt_level;
    option.size_level = request->size_level;
    option.output_format = AOT_FORMAT_FILE;
    option.enable_simd = true;
    option.enable_bulk_memory = true;
    option.enable_bulk_memory_opt = true;
    option.enable_ref_types = true;
    option.enable_call_indirect_overlong = true;
    option.enable_extended_const = true;
    aot_call_stack_features_init_default(&option.call_stack_features);
    option.custom_sections = sections;
    option.custom_sections_count = 1;
    option.stack_usage_file = request->stack_usage_file;
    /* The checks that a host relies on: accesses stay inside the memory, calls stay inside the native stack and the
       stack in memory, and loops check whether the call has been stopped. The last check is part of this option: ... */
    option.bounds_checks = 1;
    option.stack_bounds_checks = 1;
    option.enable_aux_stack_check = true;
    option.enable_thread_mgr = true;

    if (!aot_compiler_init()) {
        say(message, message_size, aot_get_last_error());
        goto end_module;
    }
    if (!(data = aot_create_comp_data((WASMModule *)module, request->arch, false))
        || !(context = aot_create_comp_context(data, &option))) {
        say(message, message_size, aot_get_last_error());
        goto end_compiler;
    }

    /* ... but check_suspend_flags of aot_emit_control.c emits the check only if the first memory is marked as shared,
       since WAMR expects only other threads to end a loop. All other code in the compiler that reads the mark is
       compiled only with WASM_ENABLE_SHARED_MEMORY, which is off, except the code that writes the memory's flags to the
       file. So the mark is set in between, and has no effect but the check. */
    flags = data->memories[0].flags;
    data->memories[0].flags = flags | SHARED_MEMORY;
    if (!aot_compile_wasm(context)) {
        say(message, message_size, aot_get_last_error());
        goto end_compiler;
    }
    data->memories[0].flags = flags;

    if (!(aot = aot_emit_aot_file_buf(context, data, aot_size)))
        say(message, message_size, aot_get_last_error());

end_compiler:
    if (context)
        aot_destroy_comp_context(context);
    if (data)
        aot_destroy_comp_data(data);
    aot_compiler_destroy();
end_module:
    wasm_runtime_unload(module);
end_runtime:
    /* Freeing the file needs the allocator, so the runtime is kept if there is a file. */
    if (!aot)
        wasm_runtime_destroy();
    return aot;
}

void
kernelpack_release(uint8_t *aot)
{
    wasm_runtime_free(aot);
    wasm_runtime_destroy();
}
