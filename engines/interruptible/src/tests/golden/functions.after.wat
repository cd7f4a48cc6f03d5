(module $m
  (type $t (;0;) (func (param i32) (result i32)))
  (type (;1;) (func))
  (table (;0;) 1 funcref)
  (memory (;0;) 1)
  (func $none (;0;) (type $t) (param $x i32) (result i32)
    call $kernelpack:touch
    local.get $x
    local.get $x
    i32.mul
  )
  (func $access (;1;) (type $t) (param $x i32) (result i32)
    local.get $x
    i32.load
  )
  (func $one_way (;2;) (type $t) (param $x i32) (result i32)
    call $kernelpack:touch
    local.get $x
    if (result i32) ;; label = @1
      local.get $x
      i32.load
    else
      i32.const 0
    end
  )
  (func $both_ways (;3;) (type $t) (param $x i32) (result i32)
    local.get $x
    if (result i32) ;; label = @1
      local.get $x
      i32.load
    else
      i32.const 0
      i32.load
    end
  )
  (func $call_first (;4;) (type $t) (param $x i32) (result i32)
    call $kernelpack:touch
    local.get $x
    call $access
    i32.load
  )
  (func $indirect (;5;) (type $t) (param $x i32) (result i32)
    local.get $x
    i32.load
    i32.const 0
    call_indirect (type $t)
    i32.load
  )
