(module
  (memory (export "memory") 17)
  (global (export "__heap_base") i32 (i32.const 1114112))
  (global (export "__data_end") i32 (i32.const 1048592))
  (global (export "kernel_message") i32 (i32.const 1048576))
  (func (export "__kernelpack_forward_k_f32") (param i32) (result i32) local.get 0)
  (func (export "__kernelpack_info_k_f32") (param i32) (result i32) i32.const 1)
  (func (export "__kernelpack_batch_k_f32") (param i32 i32) (result i32) i32.const 0)
  (func (export "__kernelpack_init_k_f32") (param i32 i32) (result i32) i32.const 2))
