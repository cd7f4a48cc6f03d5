use super::*;
use core::mem::{offset_of, size_of};

unsafe extern "C" {
    static kernelpack_wamr_layout: [usize; 15];
}

#[test]
fn layouts_are_those_of_the_c_compiler() {
    let layout = [
        size_of::<RuntimeInitArgs>(),
        offset_of!(RuntimeInitArgs, mem_alloc_type),
        offset_of!(RuntimeInitArgs, mem_alloc_option),
        offset_of!(RuntimeInitArgs, max_thread_num),
        offset_of!(RuntimeInitArgs, running_mode),
        size_of::<Allocator>(),
        offset_of!(Allocator, malloc),
        offset_of!(Allocator, realloc),
        offset_of!(Allocator, free),
        size_of::<InstantiationArgs>(),
        offset_of!(InstantiationArgs, default_stack_size),
        offset_of!(InstantiationArgs, host_managed_heap_size),
        offset_of!(InstantiationArgs, max_memory_pages),
        size_of::<Global>(),
        offset_of!(Global, data),
    ];
    // SAFETY: it is a constant in C with this many numbers.
    assert_eq!(layout, unsafe { kernelpack_wamr_layout });
}

#[test]
fn the_version_is_that_of_the_packaged_sources() {
    let [mut major, mut minor, mut patch] = [0; 3];
    // SAFETY: it writes to the three numbers.
    unsafe { wasm_runtime_get_version(&mut major, &mut minor, &mut patch) };
    assert_eq!((major, minor, patch), (2, 4, 3));
}
