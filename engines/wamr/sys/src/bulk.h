/* Functions that do the work of bulk instructions. */

#ifndef KERNELPACK_BULK_H
#define KERNELPACK_BULK_H

#include <stddef.h>

#include "bh_platform.h"
#include "wasm_export.h"

/* Calls a function, given the end of the native stack. */
bool
kernelpack_wamr_call(wasm_exec_env_t env, uint8_t *boundary, wasm_function_inst_t function, uint32_t argc,
                     uint32_t *argv);

/* Whether the call that this thread runs has been stopped. */
bool
kernelpack_wamr_stopped(void);

/* Like the functions of the C library, but they leave linear memory unchanged once the call has been stopped. */
void *
kernelpack_wamr_memset(void *start, int byte, size_t size);

void *
kernelpack_wamr_memmove(void *start, const void *source, size_t size);

#endif
