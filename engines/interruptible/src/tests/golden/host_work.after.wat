(module $m
  (type (;0;) (func (param i32)))
  (type (;1;) (func))
  (table $t (;0;) 1 10 funcref)
  (memory (;0;) 1)
  (elem $e (;0;) func $f)
  (func $f (;0;) (type 0) (param $n i32)
    local.get $n
    memory.grow
    call $kernelpack:touch
    drop
    ref.null func
    local.get $n
    table.grow $t
    call $kernelpack:touch
    drop
    i32.const 0
    ref.null func
    local.get $n
    table.fill $t
    call $kernelpack:touch
    i32.const 0
    i32.const 0
    local.get $n
    table.copy
    call $kernelpack:touch
    i32.const 0
    i32.const 0
    local.get $n
    table.init $e
    call $kernelpack:touch
    elem.drop $e
    memory.size
    drop
    table.size $t
    drop
  )
