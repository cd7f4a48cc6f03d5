(module $m
  (type (;0;) (func (param i32) (result i32)))
  (type (;1;) (func (param i32)))
  (type (;2;) (func))
  (memory (;0;) 1)
  (func $f (;0;) (type 0) (param $x i32) (result i32)
    local.get $x
    i32.load
  )
  (func $on_the_way (;1;) (type 1) (param $x i32)
    i32.const 0
    i32.load
    drop
    loop $l
      local.get $x
      call $f
      br_if $l
    end
    i32.const 0
    i32.load
    drop
  )
  (func $beside_it (;2;) (type 1) (param $x i32)
    i32.const 0
    i32.load
    drop
    loop $l
      call $kernelpack:touch
      local.get $x
      if ;; label = @2
        local.get $x
        call $f
        drop
      end
      local.get $x
      br_if $l
    end
    i32.const 0
    i32.load
    drop
  )
