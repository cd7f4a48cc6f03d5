/* What WAMR's interface leaves out, and the layouts that src/lib.rs declares again. */

#include <stddef.h>

#include "bh_platform.h"
#include "wasm_export.h"
#include "wasm_runtime_common.h"
#if WASM_ENABLE_INTERP != 0
#include "wasm_runtime.h"
#endif
#if WASM_ENABLE_AOT != 0
#include "aot_runtime.h"
#endif

const size_t kernelpack_wamr_layout[] = {
    sizeof(RuntimeInitArgs),
    offsetof(RuntimeInitArgs, mem_alloc_type),
    offsetof(RuntimeInitArgs, mem_alloc_option),
    offsetof(RuntimeInitArgs, max_thread_num),
    offsetof(RuntimeInitArgs, running_mode),
    sizeof(MemAllocOption),
    offsetof(MemAllocOption, allocator.malloc_func),
    offsetof(MemAllocOption, allocator.realloc_func),
    offsetof(MemAllocOption, allocator.free_func),
    sizeof(InstantiationArgs),
    offsetof(InstantiationArgs, default_stack_size),
    offsetof(InstantiationArgs, host_managed_heap_size),
    offsetof(InstantiationArgs, max_memory_pages),
};

#if WASM_ENABLE_INTERP != 0
static void
limit_tables(WASMModule *module, uint32 elements)
{
    uint32 i, growing = 0, share;

    for (i = 0; i < module->table_count; i++) {
        WASMTableType *type = &module->tables[i].table_type;
        elements -= type->init_size < elements ? type->init_size : elements;
        growing += type->possible_grow;
    }
    share = growing ? elements / growing : 0;
    for (i = 0; i < module->table_count; i++) {
        WASMTableType *type = &module->tables[i].table_type;
        uint32 room = type->possible_grow ? share : 0;
        if (type->max_size - type->init_size > room)
            type->max_size = type->init_size + room;
    }
}
#endif

#if WASM_ENABLE_AOT != 0
static uint32
most_elements(AOTModule *module)
{
    uint64 most = 0;
    uint32 i;

    for (i = 0; i < module->table_count; i++) {
        WASMTableType *type = &module->tables[i].table_type;
        most += type->possible_grow ? type->max_size : type->init_size;
    }
    return most > UINT32_MAX ? UINT32_MAX : (uint32)most;
}
#endif

/* Lets the tables of a module that was loaded have so many elements in all, those that can grow equal shares of what is
   left. The interpreter reads the maxima when it makes an instance; AOT code has them compiled in, so that it is refused
   instead: false. */
bool
kernelpack_wamr_limit_tables(wasm_module_t module, uint32_t elements)
{
#if WASM_ENABLE_INTERP != 0
    if (((WASMModuleCommon *)module)->module_type == Wasm_Module_Bytecode) {
        limit_tables((WASMModule *)module, elements);
        return true;
    }
#endif
#if WASM_ENABLE_AOT != 0
    if (((WASMModuleCommon *)module)->module_type == Wasm_Module_AoT)
        return most_elements((AOTModule *)module) <= elements;
#endif
    return false;
}
