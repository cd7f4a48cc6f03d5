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
    sizeof(wasm_global_inst_t),
    offsetof(wasm_global_inst_t, global_data),
};

/* What WAMR would print. */
void
kernelpack_wamr_log(uint32 level, const char *file, int line, const char *format, ...)
{
    (void)level;
    (void)file;
    (void)line;
    (void)format;
}

/* The memory of a module without memory.grow and memory.size is made one large page by the loader, which could never
   grow. It is made what the module declares again, since hosts lay calls out in pages that they grow. */
static void
restore_pages(WASMMemory *memory, uint32 max_pages)
{
    const uint32 page = 65536;

    if (memory->max_page_count == max_pages)
        return;
    memory->init_page_count *= memory->num_bytes_per_page / page;
    memory->num_bytes_per_page = page;
    memory->max_page_count =
        max_pages > memory->init_page_count ? max_pages : memory->init_page_count;
}

/* The interpreter reads the maxima of tables when it makes an instance. */
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

/* Code compiled ahead of time has them compiled in. */
#if WASM_ENABLE_AOT != 0
static bool
fits_tables(const AOTModule *module, uint32 elements)
{
    uint64 most = 0;
    uint32 i;

    for (i = 0; i < module->table_count; i++) {
        const WASMTableType *type = &module->tables[i].table_type;
        most += type->possible_grow ? type->max_size : type->init_size;
    }
    return most <= elements;
}
#endif

bool
kernelpack_wamr_bound(wasm_module_t loaded, uint32_t table_elements, uint32_t max_pages)
{
#if WASM_ENABLE_INTERP != 0
    if (((WASMModuleCommon *)loaded)->module_type == Wasm_Module_Bytecode) {
        WASMModule *module = (WASMModule *)loaded;
        if (module->memory_count > 0)
            restore_pages(&module->memories[0], max_pages);
        limit_tables(module, table_elements);
        return true;
    }
#endif
#if WASM_ENABLE_AOT != 0
    if (((WASMModuleCommon *)loaded)->module_type == Wasm_Module_AoT) {
        AOTModule *module = (AOTModule *)loaded;
        if (module->memory_count > 0)
            restore_pages(&module->memories[0], max_pages);
        return fits_tables(module, table_elements);
    }
#endif
    return false;
}
