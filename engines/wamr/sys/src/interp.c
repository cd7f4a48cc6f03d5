/* WAMR's interpreter, with the functions of bulk.c for bulk instructions. */

#include "wasm_interp.h"
#include "wasm_memory.h"
#include "wasm_runtime.h"

#include "bulk.h"

/* The interpreter copies operands all the time, with sizes that the C compiler knows. */
#undef bh_memcpy_s
#define bh_memcpy_s(to, room, from, size) \
    (__builtin_constant_p(size) ? memcpy(to, from, size) : kernelpack_wamr_memmove(to, from, size))

#undef memset
#define memset kernelpack_wamr_memset
#undef memmove
#define memmove kernelpack_wamr_memmove

/* Checked before table.init, table.copy and table.fill: a stopped call ends there. */
static inline bool
no_place(uint32 offset, uint32 size, uint32 most)
{
    return kernelpack_wamr_stopped() || offset_len_out_of_bounds(offset, size, most);
}
#define offset_len_out_of_bounds no_place

static inline bool
enlarge(WASMModuleInstance *inst, uint32 pages)
{
    return !kernelpack_wamr_stopped() && wasm_enlarge_memory(inst, pages);
}
#define wasm_enlarge_memory enlarge

#include "wasm_interp_fast.c"
