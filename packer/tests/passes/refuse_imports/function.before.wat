(module
  (import "env" "print" (func (param i32)))
  (memory (export "memory") 1))
