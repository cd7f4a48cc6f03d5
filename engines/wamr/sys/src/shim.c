/* Functions that WAMR's interface lacks, and the layouts that src/lib.rs declares again. */

#include <stddef.h>

#include "bh_platform.h"
#include "wasm_export.h"
#include "wasm_memory.h"
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

/* Receives what WAMR would print. */
void
kernelpack_wamr_log(uint32 level, const char *file, int line, const char *format, ...)
{
    (void)level;
    (void)file;
    (void)line;
    (void)format;
}

static void
say(char *words, uint32_t words_size, const char *text)
{
    snprintf(words, words_size, "%s", text);
}

/* The parts of a file that a loaded module still points to, if the loader is told that the file will be freed.

   For bytecode there are none: the fast interpreter compiles functions to code of its own, and strings and data
   segments are copied. The classic interpreter would execute the file's bytes.

   For native code (aot_loader.c), strings are copied to a set of the module's, and everything else is read into
   structures, except
   - machine code, which is executed in place: in the pages that kernelpack_wamr_lift moves it to;
   - `mem_init_data_list[i]->bytes`, which are copied only if `is_binary_freeable` is set; that happens only after
     loading, and unloading would then free memory that the module does not own;
   - names of imports, which there are none of;
   - data for the options below, which are all off. */
#if WASM_ENABLE_INTERP != 0 && WASM_ENABLE_FAST_INTERP == 0
#error "the classic interpreter needs the file"
#endif
#if WASM_ENABLE_CUSTOM_NAME_SECTION != 0 || WASM_ENABLE_LOAD_CUSTOM_SECTION != 0 || WASM_ENABLE_STRINGREF != 0 \
    || WASM_ENABLE_DEBUG_AOT != 0 || WASM_ENABLE_DEBUG_INTERP != 0 || WASM_ENABLE_DUMP_CALL_STACK != 0 \
    || WASM_ENABLE_STATIC_PGO != 0 || WASM_ENABLE_MULTI_MODULE != 0 || WASM_ENABLE_EXTENDED_CONST_EXPR != 0
#error "find out what these options keep of a file"
#endif

#if WASM_ENABLE_AOT != 0
/* Copies what is still needed of the file and of the strings into one piece of memory, so that both can be freed. Most
   strings are symbols of relocations, which are resolved by now. */
static bool
keep(AOTModule *module, void **kept)
{
    uint64 size = 0;
    uint32 i;
    char *to;

    for (i = 0; i < module->mem_init_data_count; i++)
        size += module->mem_init_data_list[i]->byte_count;
    for (i = 0; i < module->export_count; i++)
        size += strlen(module->exports[i].name) + 1;
    for (i = 0; i < module->data_section_count; i++)
        size += strlen(module->data_sections[i].name) + 1;
    if (size > UINT32_MAX || !(*kept = to = wasm_runtime_malloc(size > 0 ? (uint32)size : 1)))
        return false;

    for (i = 0; i < module->mem_init_data_count; i++) {
        AOTMemInitData *data = module->mem_init_data_list[i];
        memcpy(to, data->bytes, data->byte_count);
        data->bytes = (uint8 *)to;
        to += data->byte_count;
    }
    for (i = 0; i < module->export_count; i++) {
        strcpy(to, module->exports[i].name);
        module->exports[i].name = to;
        to += strlen(to) + 1;
    }
    for (i = 0; i < module->data_section_count; i++) {
        strcpy(to, module->data_sections[i].name);
        module->data_sections[i].name = to;
        to += strlen(to) + 1;
    }
    if (module->const_str_set) {
        bh_hash_map_destroy(module->const_str_set);
        module->const_str_set = NULL;
    }
    return true;
}
#endif

/* Loads bytecode. The module does not point into the file afterwards. The file is only read: the loader writes to a
   file only if it may keep its strings there. */
wasm_module_t
kernelpack_wamr_load(const uint8_t *file, uint32_t size, char *words, uint32_t words_size)
{
    /* WAMR keeps the pointer to the name. */
    LoadArgs args = { .name = "", .wasm_binary_freeable = true };

    if (get_package_type(file, size) != Wasm_Module_Bytecode) {
        say(words, words_size, "this is no module");
        return NULL;
    }
    return wasm_runtime_load_ex((uint8 *)file, size, &args, words, words_size);
}

#if WASM_ENABLE_AOT != 0
/* The next section of native code, starting at `at`; false at the end, or if no whole section follows. */
static bool
next_section(const uint8_t *file, uint32_t size, uint32_t *at, uint32_t *type, uint32_t *body, uint32_t *body_size)
{
    uint32_t head = (*at + 3) & ~(uint32_t)3;

    if (head < *at || size < 8 || head > size - 8)
        return false;
    memcpy(type, file + head, 4);
    memcpy(body_size, file + head + 4, 4);
    *body = head + 8;
    if (*body_size > size - *body)
        return false;
    *at = *body + *body_size;
    return true;
}
#endif

/* Moves the machine code of a native file to pages of its own, as the loader would, and closes the gap; the file has
   `*size` bytes afterwards. NULL, with nothing changed, if there is no machine code or not enough memory. */
uint8_t *
kernelpack_wamr_lift(uint8_t *file, uint32_t *size, uint32_t *text_size)
{
#if WASM_ENABLE_AOT != 0
    const int prot = MMAP_PROT_READ | MMAP_PROT_WRITE | MMAP_PROT_EXEC;
    uint32_t at = 8, type, body, body_size, next;
    const uint32_t none = 0;
    uint8_t *text = NULL;
    uint64 total;

    do {
        if (!next_section(file, *size, &at, &type, &body, &body_size))
            return NULL;
    } while (type != AOT_SECTION_TYPE_TEXT);
    total = ((uint64)body_size + aot_get_plt_table_size() + 3) & ~(uint64)3;
    if (body_size == 0 || total >= UINT32_MAX)
        return NULL;
    *text_size = (uint32_t)total;
#if UINTPTR_MAX == UINT64_MAX && !defined(BUILD_TARGET_AARCH64)
    /* Relocations of 32 bits can reach this part of the address space. */
    text = os_mmap(NULL, total, prot, MMAP_MAP_32BIT, os_get_invalid_handle());
#endif
    if (!text && !(text = os_mmap(NULL, total, prot, MMAP_MAP_NONE, os_get_invalid_handle())))
        return NULL;
    os_thread_jit_write_protect_np(false);
    memcpy(text, file + body, body_size);
    memset(text + body_size, 0, total - body_size);
    os_thread_jit_write_protect_np(true);

    /* Both ends of the gap are multiples of four, so what follows stays aligned. */
    next = (at + 3) & ~(uint32_t)3;
    if (next > *size)
        next = *size;
    memcpy(file + body - 4, &none, 4);
    memmove(file + body, file + next, *size - next);
    *size -= next - body;
    return text;
#else
    (void)file, (void)size, (void)text_size;
    return NULL;
#endif
}

#if WASM_ENABLE_AOT != 0
/* The machine code that is being loaded, or NULL once the loader has unmapped it, which it does on late failures.
   Loading requires the host's lock. */
static void *lifted;

/* Replaces os_munmap in aot_loader.c. */
void
kernelpack_wamr_munmap(void *addr, size_t size)
{
    if (addr == lifted)
        lifted = NULL;
    os_munmap(addr, size);
}
#endif

/* Loads native code whose machine code was lifted. The module does not point into the file afterwards, and the file is
   only read. The machine code is then owned by the module, or was unmapped. `kept` is WAMR's memory that the module
   points to; it must be freed after the module is unloaded. */
wasm_module_t
kernelpack_wamr_load_native(const uint8_t *file, uint32_t size, uint8_t *text, uint32_t text_size, void **kept,
                            char *words, uint32_t words_size)
{
    wasm_module_t loaded = NULL;

    *kept = NULL;
#if WASM_ENABLE_AOT != 0
    enum { MOST = 16 };
    wasm_section_t sections[MOST];
    uint32_t at = 8, type, body, body_size, count = 0, i;
    const char *fault = NULL;
    AOTModule *module;

    lifted = text;
    while (count < MOST && next_section(file, size, &at, &type, &body, &body_size)) {
        bool code = type == AOT_SECTION_TYPE_TEXT;
        sections[count].section_type = (int)type;
        sections[count].section_body = code ? text : (uint8 *)file + body;
        sections[count].section_body_size = code ? text_size : body_size;
        sections[count++].next = NULL;
    }
    for (i = 1; i < count; i++)
        sections[i - 1].next = &sections[i];
    os_thread_jit_write_protect_np(false);
    if (at != size)
        say(words, words_size, "the native code has sections that are broken, or too many");
    else
        loaded = wasm_runtime_load_from_sections(sections, true, words, words_size);
    os_thread_jit_write_protect_np(true);
    if (!loaded && lifted)
        os_munmap(lifted, text_size);
    lifted = NULL;
    if (!loaded)
        return NULL;

    module = (AOTModule *)loaded;
    os_icache_flush(module->code, module->code_size);
    /* The data stay where the loader left them, in the file or in what is kept. */
    module->is_binary_freeable = false;
    if (module->import_func_count || module->import_global_count || module->import_memory_count
        || module->import_table_count)
        fault = "the native code has imports";
    else if (!keep(module, kept))
        fault = "the pool has no room for the data of the native code";
    if (fault) {
        say(words, words_size, fault);
        wasm_runtime_unload(loaded);
        return NULL;
    }
#else
    (void)file, (void)size, (void)text, (void)text_size;
    say(words, words_size, "this program has no loader of native code");
#endif
    return loaded;
}

/* Where an instance keeps the only mutable global of its module, if there is exactly one and it is an i32; else NULL.
   Globals are packed without alignment. */
const uint8_t *
kernelpack_wamr_only_variable(wasm_module_inst_t inst)
{
    const uint8_t *found = NULL;
    uint32 i, variables = 0;
    bool integer = false;

#if WASM_ENABLE_INTERP != 0
    if (inst->module_type == Wasm_Module_Bytecode) {
        const WASMModuleInstance *of = (WASMModuleInstance *)inst;
        for (i = 0; i < of->e->global_count; i++) {
            const WASMGlobalInstance *global = &of->e->globals[i];
            if (global->is_mutable) {
                variables++;
                integer = global->type == VALUE_TYPE_I32;
                found = of->global_data + global->data_offset;
            }
        }
    }
#endif
#if WASM_ENABLE_AOT != 0
    if (inst->module_type == Wasm_Module_AoT) {
        const AOTModuleInstance *of = (AOTModuleInstance *)inst;
        const AOTModule *module = (AOTModule *)of->module;
        /* kernelpack_wamr_load_native rejects imports. */
        for (i = 0; i < module->global_count; i++) {
            const AOTGlobal *global = &module->globals[i];
            if (global->type.is_mutable) {
                variables++;
                integer = global->type.val_type == VALUE_TYPE_I32;
                found = of->global_data + global->data_offset;
            }
        }
    }
#endif
    return variables == 1 && integer ? found : NULL;
}

/* For a module without memory.grow and memory.size, the loader makes memory one large page, which could never grow.
   This restores the declared size, since hosts place calls in memory that they grow. */
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

/* The address of a memory, and its size in bytes. */
uint8_t *
kernelpack_wamr_memory(wasm_memory_inst_t memory, uint64_t *size)
{
    *size = memory->memory_data_size;
    return memory->memory_data;
}

/* Sets the address and size of a memory as wasm_runtime_enlarge_memory would, except that the last page may be partial;
   the size must not shrink. All accesses are checked against the size in bytes: the interpreter's against
   `memory_data_size`, those of compiled code against that or the bounds computed from it here, and constant addresses
   against the initial size. Only memory.size and memory.grow count pages, and the latter makes all of them whole. */
void
kernelpack_wamr_place(wasm_memory_inst_t memory, uint8_t *data, uint64_t size)
{
    memory->memory_data = data;
    memory->memory_data_end = data + size;
    memory->memory_data_size = size;
    memory->cur_page_count = (uint32)((size + memory->num_bytes_per_page - 1) / memory->num_bytes_per_page);
    /* WAMR has no heap in it. */
    memory->heap_data = memory->heap_data_end = data;
    wasm_runtime_set_mem_bound_check_bytes(memory, size);
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

/* Code compiled ahead of time contains the maxima. */
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
