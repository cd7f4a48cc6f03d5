(module $m
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32 i32 i32)))
  (memory (;0;) 1)
  (func $untouched (;0;) (type 0) (param $p i32)
    local.get $p
    i32.load
    drop
  )
  (func $fill (;1;) (type 0) (param $p i32)
    local.get $p
    i32.const 0
    i32.store
    local.get $p
    i32.const 0
    i32.const 100
    call $kernelpack:fill
    local.get $p
    i32.const 0
    i32.store
  )
  (func $unreachable (;2;) (type 0) (param $p i32)
    unreachable
    local.get $p
    i32.const 0
    i32.const 100
    call $kernelpack:copy
    call $kernelpack:fill
  )
