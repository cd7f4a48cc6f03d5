/*
 * The Kernelpack ABI, version 1, for kernels written in C.
 *
 * A kernel is a WebAssembly module for wasm32 that exports
 *
 *     int32_t kernel_forward(const kp_descriptor *descriptor);
 *     int32_t kernel_info(kp_info *info);
 *
 * and optionally
 *
 *     int64_t kernel_forward_batch(const kp_descriptor *descriptors, uint32_t count);
 *     int32_t kernel_backward(const kp_descriptor *descriptor);
 *     int32_t kernel_init(const kp_params_header *params, uint32_t params_size);
 *     int32_t kernel_cleanup(void);
 *
 * kernel_forward_batch runs kernel_forward for consecutive descriptors and stops at the first call that fails. It returns
 * that call's index in the upper 32 bits and its status in the lower ones, or 0 if no call fails.
 *
 * The module also exports its memory and the immutable i32 globals `__heap_base`, `kernel_message` (the address of a
 * kp_message) and `kernel_abi_version` (KP_ABI_VERSION itself; C has no such globals, so a tool adds it after linking).
 * Compile with
 *
 *     clang --target=wasm32 -O3 -msimd128 -nostdlib -Wl,--no-entry \
 *         -Wl,--export=__heap_base -Wl,--export=kernel_message kernel.c
 *
 * All integers are little-endian, as linear memory is, and all offsets count bytes from its start, so that on wasm32
 * an offset is a pointer. Check what a host passes before using it: the functions below do not.
 */
#ifndef KERNELPACK_H
#define KERNELPACK_H

#include <stddef.h>
#include <stdint.h>

/* The version of the ABI that this header describes. */
#define KP_ABI_VERSION 1u
/* The version of the params block. */
#define KP_PARAMS_VERSION 1u
/* Tensors and the params block start at a multiple of this many bytes, the width of a v128. */
#define KP_TENSOR_ALIGN 16u
/* The most axes of a tensor. */
#define KP_MAX_RANK 8u
/* The most tensors of a call. */
#define KP_MAX_TENSORS 16u
/* The most bytes of UTF-8 in a message; longer ones are cut at a character. */
#define KP_MESSAGE_CAPACITY 256u

/* What an export returns. */
enum kp_status {
    KP_OK = 0,               /* The call succeeded and every output is written. */
    KP_INVALID_INPUT = 1,    /* An input tensor has a wrong shape, type or value. */
    KP_INVALID_OUTPUT = 2,   /* An output tensor has a wrong shape or type. */
    KP_INVALID_PARAMS = 3,   /* The params block or a scalar in it is wrong. */
    KP_OUT_OF_MEMORY = 4,    /* The kernel ran out of memory. */
    KP_NOT_IMPLEMENTED = 5,  /* The kernel does not support the operation. */
    KP_INTERNAL_ERROR = 6    /* The kernel failed for a reason of its own. */
};

/* The type of a tensor's elements. */
enum kp_dtype {
    KP_F32 = 1,  /* IEEE 754 binary32. */
    KP_F16 = 2,  /* IEEE 754 binary16. */
    KP_I8 = 3,   /* Two's complement 8-bit integer. */
    KP_U8 = 4,   /* Unsigned 8-bit integer. */
    KP_I32 = 5,  /* Two's complement 32-bit integer. */
    KP_U32 = 6,  /* Unsigned 32-bit integer. */
    KP_Q8_0 = 7, /* GGML Q8_0: kp_block_q8_0. */
    KP_Q4_0 = 8  /* GGML Q4_0: kp_block_q4_0. */
};

/* Whether a kernel reads or writes a tensor. */
enum kp_role {
    KP_IN = 1,     /* The kernel reads it. */
    KP_OUT = 2,    /* The kernel writes all of it. */
    KP_INOUT = 3,  /* The kernel reads and writes it. */
    KP_SCRATCH = 4 /* Working space with unspecified content. */
};

/* Bits of kp_info.flags. */
enum kp_info_flags {
    KP_HAS_INIT = 1,     /* The module exports kernel_init. */
    KP_HAS_BACKWARD = 2, /* The module exports kernel_backward. */
    KP_HAS_CLEANUP = 4,  /* The module exports kernel_cleanup. */
    KP_HAS_FORWARD_BATCH = 8 /* The module exports kernel_forward_batch. */
};

/*
 * The argument of kernel_forward: the ranges of the first tensors of a call. An unused slot is two zeros. Every tensor,
 * including these, has a row in the params block; the two always agree.
 */
typedef struct kp_descriptor {
    uint32_t input_a_offset; /* The first input. */
    uint32_t input_a_size;
    uint32_t input_b_offset; /* The second input. */
    uint32_t input_b_size;
    uint32_t output_offset; /* The first output or in-out tensor. */
    uint32_t output_size;
    uint32_t scratch_offset; /* The first scratch tensor. */
    uint32_t scratch_size;
    uint32_t params_offset; /* The params block. */
    uint32_t params_size;
} kp_descriptor;

_Static_assert(sizeof(kp_descriptor) == 40, "the descriptor has 40 bytes");
_Static_assert(offsetof(kp_descriptor, input_a_offset) == 0, "input_a_offset");
_Static_assert(offsetof(kp_descriptor, input_a_size) == 4, "input_a_size");
_Static_assert(offsetof(kp_descriptor, input_b_offset) == 8, "input_b_offset");
_Static_assert(offsetof(kp_descriptor, input_b_size) == 12, "input_b_size");
_Static_assert(offsetof(kp_descriptor, output_offset) == 16, "output_offset");
_Static_assert(offsetof(kp_descriptor, output_size) == 20, "output_size");
_Static_assert(offsetof(kp_descriptor, scratch_offset) == 24, "scratch_offset");
_Static_assert(offsetof(kp_descriptor, scratch_size) == 28, "scratch_size");
_Static_assert(offsetof(kp_descriptor, params_offset) == 32, "params_offset");
_Static_assert(offsetof(kp_descriptor, params_size) == 36, "params_size");

/*
 * The start of the params block. `tensor_count` rows follow it, and then the scalars in declaration order, each at a
 * multiple of its size: f32, u32 and i32 take 4 bytes, bool takes 1 and is 0 or 1.
 */
typedef struct kp_params_header {
    uint32_t version;        /* KP_PARAMS_VERSION. */
    uint32_t tensor_count;   /* Rows of the tensor table. */
    uint32_t scalars_offset; /* From the start of the block: 16 + 48 * tensor_count. */
    uint32_t scalars_size;   /* Bytes of the scalars. */
} kp_params_header;

_Static_assert(sizeof(kp_params_header) == 16, "the header has 16 bytes");
_Static_assert(offsetof(kp_params_header, version) == 0, "version");
_Static_assert(offsetof(kp_params_header, tensor_count) == 4, "tensor_count");
_Static_assert(offsetof(kp_params_header, scalars_offset) == 8, "scalars_offset");
_Static_assert(offsetof(kp_params_header, scalars_size) == 12, "scalars_size");

/* A row of the tensor table, one for every tensor in declaration order. */
typedef struct kp_tensor_entry {
    uint32_t offset;            /* 0 for an optional input that the call omits. */
    uint32_t size;              /* Bytes: the product of the extents times the bytes of an element. */
    uint8_t dtype;              /* One of enum kp_dtype. */
    uint8_t role;               /* One of enum kp_role. */
    uint8_t rank;               /* Number of axes. */
    uint8_t reserved;           /* 0. */
    uint32_t dims[KP_MAX_RANK]; /* Extents, outermost first, zeros after the last axis. */
    uint32_t reserved_end;      /* 0. */
} kp_tensor_entry;

_Static_assert(sizeof(kp_tensor_entry) == 48, "a row has 48 bytes");
_Static_assert(offsetof(kp_tensor_entry, offset) == 0, "offset");
_Static_assert(offsetof(kp_tensor_entry, size) == 4, "size");
_Static_assert(offsetof(kp_tensor_entry, dtype) == 8, "dtype");
_Static_assert(offsetof(kp_tensor_entry, role) == 9, "role");
_Static_assert(offsetof(kp_tensor_entry, rank) == 10, "rank");
_Static_assert(offsetof(kp_tensor_entry, reserved) == 11, "reserved");
_Static_assert(offsetof(kp_tensor_entry, dims) == 12, "dims");
_Static_assert(offsetof(kp_tensor_entry, reserved_end) == 44, "reserved_end");

/* What kernel_info writes. */
typedef struct kp_info {
    uint32_t abi_version;      /* KP_ABI_VERSION. */
    uint32_t tensor_count;     /* Rows of the tensor table of a forward call. */
    uint32_t param_count;      /* Scalars of a forward call. */
    uint32_t flags;            /* A union of enum kp_info_flags. */
    uint32_t id_offset;        /* The kernel's id, UTF-8. */
    uint32_t id_size;          /* Bytes of the id. */
    uint32_t message_offset;   /* A kp_message. */
    uint32_t message_capacity; /* KP_MESSAGE_CAPACITY. */
} kp_info;

_Static_assert(sizeof(kp_info) == 32, "kp_info has 32 bytes");
_Static_assert(offsetof(kp_info, abi_version) == 0, "abi_version");
_Static_assert(offsetof(kp_info, tensor_count) == 4, "tensor_count");
_Static_assert(offsetof(kp_info, param_count) == 8, "param_count");
_Static_assert(offsetof(kp_info, flags) == 12, "flags");
_Static_assert(offsetof(kp_info, id_offset) == 16, "id_offset");
_Static_assert(offsetof(kp_info, id_size) == 20, "id_size");
_Static_assert(offsetof(kp_info, message_offset) == 24, "message_offset");
_Static_assert(offsetof(kp_info, message_capacity) == 28, "message_capacity");

/*
 * The message that a failed call leaves for people. A module exports an immutable i32 global `kernel_message` with the
 * address of one; length 0 means no message.
 */
typedef struct kp_message {
    uint32_t len;                       /* Bytes of text. */
    uint8_t bytes[KP_MESSAGE_CAPACITY]; /* UTF-8, not terminated. */
} kp_message;

_Static_assert(sizeof(kp_message) == 260, "kp_message has 4 + 256 bytes");
_Static_assert(offsetof(kp_message, bytes) == 4, "bytes");

/* GGML block_q8_0: value i is d * qs[i]; d holds the bits of an IEEE 754 binary16. */
typedef struct kp_block_q8_0 {
    uint16_t d;
    int8_t qs[32];
} kp_block_q8_0;

/* GGML block_q4_0: the low nibble of qs[i] is value i, the high one value i + 16; a value is d * (nibble - 8). */
typedef struct kp_block_q4_0 {
    uint16_t d;
    uint8_t qs[16];
} kp_block_q4_0;

_Static_assert(sizeof(kp_block_q8_0) == 34, "a Q8_0 block has 34 bytes");
_Static_assert(sizeof(kp_block_q4_0) == 18, "a Q4_0 block has 18 bytes");

#ifdef __wasm32__
/* Exports a function under this name. */
#define KP_EXPORT(name) __attribute__((export_name(name)))

/* The first byte after the module's own data and stack; a host places nothing below it. */
extern unsigned char __heap_base;

/* The params block of a call. */
static inline const kp_params_header *kp_params(const kp_descriptor *descriptor) {
    return (const kp_params_header *)(uintptr_t)descriptor->params_offset;
}

/* The tensor table of a params block. */
static inline const kp_tensor_entry *kp_entries(const kp_params_header *params) {
    return (const kp_tensor_entry *)(params + 1);
}

/* The scalars of a params block. */
static inline const unsigned char *kp_scalars(const kp_params_header *params) {
    return (const unsigned char *)params + params->scalars_offset;
}
#endif

#endif
