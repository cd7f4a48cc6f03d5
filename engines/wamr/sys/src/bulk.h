/* What does the work of instructions that do as much as their operands say. */

#ifndef KERNELPACK_BULK_H
#define KERNELPACK_BULK_H

#include <stddef.h>

#include "bh_platform.h"
#include "wasm_export.h"

/* Calls a function, with the end of the native stack. */
bool
kernelpack_wamr_call(wasm_exec_env_t env, uint8_t *boundary, wasm_function_inst_t function, uint32_t argc,
                     uint32_t *argv);

/* Whether the call that this thread runs was told to stop. */
bool
kernelpack_wamr_stopped(void);

/* The functions of C's library, but that they leave linear memory as it is once the call was told to stop. */
void *
kernelpack_wamr_memset(void *start, int byte, size_t size);

void *
kernelpack_wamr_memmove(void *start, const void *source, size_t size);

#endif
