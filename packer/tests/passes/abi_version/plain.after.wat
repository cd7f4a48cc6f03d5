(module
  (global (;0;) i32 i32.const 1024)
  (global (;1;) i32 i32.const 1)
  (export "__heap_base" (global 0))
  (export "kernel_abi_version" (global 1))
)
