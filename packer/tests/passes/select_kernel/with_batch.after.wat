(module
  (type (;0;) (func (param i32) (result i32)))
  (type (;1;) (func (param i32 i32) (result i32)))
  (type (;2;) (func (param i32 i32) (result i64)))
  (memory (;0;) 17)
  (global (;0;) i32 i32.const 1114112)
  (global (;1;) i32 i32.const 1048592)
  (global (;2;) i32 i32.const 1048576)
  (export "memory" (memory 0))
  (export "__heap_base" (global 0))
  (export "kernel_message" (global 2))
  (export "kernel_forward" (func 0))
  (export "k_forward" (func 0))
  (export "kernel_forward_batch" (func 2))
  (export "kernel_init" (func 3))
  (export "kernel_info" (func 1))
  (func (;0;) (type 0) (param i32) (result i32)
    local.get 0
  )
  (func (;1;) (type 0) (param i32) (result i32)
    i32.const 1
  )
  (func (;2;) (type 2) (param i32 i32) (result i64)
    i64.const 0
  )
  (func (;3;) (type 1) (param i32 i32) (result i32)
    i32.const 2
  )
)
