(module
  (type $kept (;0;) (func (param i32) (result i32)))
  (memory (;0;) 1)
  (global $kept_global (;0;) (mut i32) i32.const 7)
  (export "memory" (memory 0))
  (export "kernel_forward" (func 1))
  (func $callee (;0;) (type $kept) (param i32) (result i32)
    local.get 0
    global.get $kept_global
    i32.add
  )
  (func (;1;) (type $kept) (param i32) (result i32)
    local.get 0
    call $callee
  )
  (data (;0;) (i32.const 16) "stays")
)
