(module
  (type (;0;) (func))
  (table $table (;0;) 1 funcref)
  (memory (;0;) 1)
  (export "memory" (memory 0))
  (export "kernel_forward" (func 0))
  (elem (;0;) (i32.const 0) func $in_the_table)
  (func (;0;) (type 0)
    i32.const 0
    call_indirect (type 0)
  )
  (func $in_the_table (;1;) (type 0))
)
