//! A program that links all parts of WAMR that the host uses, so that `scripts/embedded` can measure its size. Running
//! it does nothing.

use std::hint::black_box;

use kernelpack_wamr_sys::{
    kernelpack_wamr_bound, kernelpack_wamr_call, kernelpack_wamr_lift, kernelpack_wamr_load,
    kernelpack_wamr_load_native, kernelpack_wamr_memory, kernelpack_wamr_place, wasm_cluster_cancel_thread,
    wasm_func_get_param_count, wasm_func_get_result_count, wasm_memory_get_max_page_count,
    wasm_runtime_create_exec_env, wasm_runtime_deinstantiate, wasm_runtime_destroy, wasm_runtime_destroy_exec_env,
    wasm_runtime_full_init, wasm_runtime_get_exception, wasm_runtime_get_memory, wasm_runtime_get_version,
    wasm_runtime_instantiate_ex, wasm_runtime_lookup_function, wasm_runtime_unload,
};

fn main() {
    black_box([
        wasm_runtime_full_init as *const (),
        wasm_runtime_destroy as *const (),
        wasm_runtime_get_version as *const (),
        kernelpack_wamr_load as *const (),
        kernelpack_wamr_lift as *const (),
        kernelpack_wamr_load_native as *const (),
        wasm_runtime_unload as *const (),
        wasm_runtime_instantiate_ex as *const (),
        wasm_runtime_deinstantiate as *const (),
        wasm_runtime_create_exec_env as *const (),
        wasm_runtime_destroy_exec_env as *const (),
        wasm_runtime_lookup_function as *const (),
        wasm_func_get_param_count as *const (),
        wasm_func_get_result_count as *const (),
        kernelpack_wamr_call as *const (),
        wasm_runtime_get_exception as *const (),
        wasm_runtime_get_memory as *const (),
        wasm_memory_get_max_page_count as *const (),
        kernelpack_wamr_memory as *const (),
        kernelpack_wamr_place as *const (),
        wasm_cluster_cancel_thread as *const (),
        kernelpack_wamr_bound as *const (),
    ]);
}
