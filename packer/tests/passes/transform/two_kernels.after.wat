(module
  (type (;0;) (func (param i32) (result i32)))
  (type (;1;) (func (param i32 i32) (result i32)))
  (memory (;0;) 17 32)
  (global (;0;) i32 i32.const 1114112)
  (global (;1;) i32 i32.const 1048576)
  (global (;2;) i32 i32.const 1)
  (export "memory" (memory 0))
  (export "__heap_base" (global 0))
  (export "kernel_message" (global 1))
  (export "kernel_forward" (func 1))
  (export "k_forward" (func 1))
  (export "kernel_init" (func 3))
  (export "kernel_info" (func 2))
  (export "kernel_abi_version" (global 2))
  (func $shared (;0;) (type 0) (param i32) (result i32)
    local.get 0
    i32.const 1
    i32.add
  )
  (func (;1;) (type 0) (param i32) (result i32)
    local.get 0
    call $shared
  )
  (func (;2;) (type 0) (param i32) (result i32)
    i32.const 1
  )
  (func (;3;) (type 1) (param i32 i32) (result i32)
    i32.const 2
  )
  (data (;0;) (i32.const 1048576) "message")
  (@custom "kernelpack.spec" (after data) "KPSPS\00\00\00\03\00\01\00\0b\00crate 1.2.3\05\00k_f32\01\00K\00\00\01\00c\01\00k\09\00k_forward\00\00 \00\00\00\02\00\00\00\08\00\00\00@\00\00\00\00\00\08\00\01\00\00\00\00\00\00")
)
