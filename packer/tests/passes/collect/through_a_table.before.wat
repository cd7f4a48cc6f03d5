(module
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (func $in_the_table)
  (func $lost)
  (func (export "kernel_forward") i32.const 0 call_indirect $table)
  (elem (table $table) (i32.const 0) func $in_the_table))
