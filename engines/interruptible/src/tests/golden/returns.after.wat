(module $m
  (type (;0;) (func (param i32) (result i32)))
  (type (;1;) (func (param i32)))
  (type (;2;) (func))
  (memory (;0;) 1)
  (func $end (;0;) (type 0) (param $x i32) (result i32)
    i32.const 0
    local.get $x
    i32.store
    local.get $x
    call $end
    call $kernelpack:touch
  )
  (func $return (;1;) (type 0) (param $x i32) (result i32)
    i32.const 0
    local.get $x
    i32.store
    local.get $x
    call $end
    call $kernelpack:touch
    return
  )
  (func $branch (;2;) (type 0) (param $x i32) (result i32)
    i32.const 0
    local.get $x
    i32.store
    local.get $x
    call $end
    local.get $x
    call $kernelpack:touch
    br_if 0
  )
  (func $table (;3;) (type 0) (param $x i32) (result i32)
    i32.const 0
    local.get $x
    i32.store
    block $b (result i32)
      local.get $x
      call $end
      local.get $x
      call $kernelpack:touch
      br_table $b 1
    end
    call $kernelpack:touch
  )
  (func $settled (;4;) (type 0) (param $x i32) (result i32)
    i32.const 0
    local.get $x
    i32.store
    local.get $x
    call $end
    i32.load
  )
  (func $called_in_loop (;5;) (type 1) (param $x i32)
    i32.const 0
    local.get $x
    i32.store
    loop $l
      local.get $x
      call $kernelpack:touch
      br_if 1
      local.get $x
      call $end
      br_if $l
    end
    call $kernelpack:touch
  )
