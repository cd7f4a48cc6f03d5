(module
  (type (;0;) (func (param i32)))
  (table (;0;) 1 funcref)
  (memory (;0;) 1)
  (global (;0;) i32 i32.const 0)
  (elem (;0;) (i32.const 0) func $of_function)
  (func $of_function (;0;) (type 0) (param i32)
    (local i32)
    local.get 0
    local.set 1
  )
  (data (;0;) (i32.const 0) "data")
  (@custom "kernelpack.spec" (after data) "stays")
)
