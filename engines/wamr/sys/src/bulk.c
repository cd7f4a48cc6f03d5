/* Bulk instructions, whose work depends on their operands, made to end soon once the call has been stopped.

   WAMR checks the flag of wasm_cluster_cancel_thread only at branches, calls and loops, of which straight-line code has
   none. So the functions that do the work of bulk instructions check the flag as well, before they start and between
   large pieces, and do nothing once it is set: the call has failed then, the host ignores what it leaves in memory, and
   the rest of the straight-line code takes some nanoseconds per instruction. For fewer than SMALL bytes, the work takes
   no longer than that either.

   The interpreter calls these functions through interp.c. For native code, the loader resolves symbols to them
   (build.rs), so that they are used for any file, whichever compiler made it. */

#include "bulk.h"

#include "wasm_exec_env.h"
#include "wasm_runtime.h"
#if WASM_ENABLE_AOT != 0
#include "aot_runtime.h"
#endif

enum {
    SMALL = 256,
    /* About ten microseconds. */
    PIECE = 1 << 17,
};

/* The call that this thread runs; NULL when functions of the C library are called outside of one. */
static os_thread_local_attribute WASMExecEnv *running;

bool
kernelpack_wamr_call(wasm_exec_env_t env, uint8_t *boundary, wasm_function_inst_t function, uint32_t argc,
                     uint32_t *argv)
{
    WASMExecEnv *before = running;
    bool returned;

    wasm_runtime_set_native_stack_boundary(env, boundary);
    running = env;
    returned = wasm_runtime_call_wasm(env, function, argc, argv);
    running = before;
    return returned;
}

bool
kernelpack_wamr_stopped(void)
{
    uint32 flags;

    if (!running)
        return false;
    WASM_SUSPEND_FLAGS_LOCK(running->wait_lock);
    flags = WASM_SUSPEND_FLAGS_GET(running->suspend_flags);
    WASM_SUSPEND_FLAGS_UNLOCK(running->wait_lock);
    return (flags & WASM_SUSPEND_FLAG_TERMINATE) != 0;
}

/* Whether writing these bytes is needless. Bytes outside of linear memory are always written: compilers also emit calls
   of these functions for data on the stack. */
static bool
needless(const uint8 *to)
{
    const WASMModuleInstance *inst;

    if (!kernelpack_wamr_stopped())
        return false;
    /* Native code uses the same structure. */
    inst = (const WASMModuleInstance *)running->module_inst;
    return inst->memory_count > 0 && to >= inst->memories[0]->memory_data && to < inst->memories[0]->memory_data_end;
}

void *
kernelpack_wamr_memset(void *start, int byte, size_t size)
{
    uint8 *to = start;

    for (; size > SMALL; to += PIECE, size -= PIECE) {
        if (needless(to))
            return start;
        if (size <= PIECE)
            break;
        memset(to, byte, PIECE);
    }
    memset(to, byte, size);
    return start;
}

void *
kernelpack_wamr_memmove(void *start, const void *source, size_t size)
{
    uint8 *to = start;
    const uint8 *from = source;
    /* Backwards if copying forwards would overwrite bytes that are still to be read. */
    bool back = (uintptr_t)to - (uintptr_t)from < size;

    for (; size > SMALL; size -= PIECE) {
        if (needless(to))
            return start;
        if (size <= PIECE)
            break;
        if (back) {
            memmove(to + (size - PIECE), from + (size - PIECE), PIECE);
        }
        else {
            memmove(to, from, PIECE);
            to += PIECE;
            from += PIECE;
        }
    }
    /* A dropped segment has no address. */
    if (size > 0)
        memmove(to, from, size);
    return start;
}

#if WASM_ENABLE_AOT != 0
bool
kernelpack_wamr_memory_init(AOTModuleInstance *inst, uint32 segment, uint32 offset, uint32 size, size_t to)
{
    return (size > SMALL && kernelpack_wamr_stopped()) || aot_memory_init(inst, segment, offset, size, to);
}

bool
kernelpack_wamr_enlarge_memory(AOTModuleInstance *inst, uint32 pages)
{
    return !kernelpack_wamr_stopped() && aot_enlarge_memory(inst, pages);
}

void
kernelpack_wamr_table_init(AOTModuleInstance *inst, uint32 table, uint32 segment, uint32 size, uint32 from, uint32 to)
{
    if (!kernelpack_wamr_stopped())
        aot_table_init(inst, table, segment, size, from, to);
}

void
kernelpack_wamr_table_copy(AOTModuleInstance *inst, uint32 source, uint32 table, uint32 size, uint32 from, uint32 to)
{
    if (!kernelpack_wamr_stopped())
        aot_table_copy(inst, source, table, size, from, to);
}

void
kernelpack_wamr_table_fill(AOTModuleInstance *inst, uint32 table, uint32 size, table_elem_type_t value, uint32 to)
{
    if (!kernelpack_wamr_stopped())
        aot_table_fill(inst, table, size, value, to);
}

/* The functions of Arm's run-time ABI, which return nothing and take the size before the byte. WAMR declares them as
   functions without parameters, so they need names of their own. */
void
kernelpack_wamr_aeabi_memmove(void *to, const void *from, size_t size)
{
    kernelpack_wamr_memmove(to, from, size);
}

void
kernelpack_wamr_aeabi_memset(void *to, size_t size, int byte)
{
    kernelpack_wamr_memset(to, byte, size);
}

void
kernelpack_wamr_aeabi_memclr(void *to, size_t size)
{
    kernelpack_wamr_memset(to, 0, size);
}
#endif
