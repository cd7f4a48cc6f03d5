(module $m
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32 i32)))
  (type (;2;) (func))
  (memory (;0;) 1)
  (func $twice (;0;) (type 0) (param $p i32)
    loop $l
      call $kernelpack:touch
      local.get $p
      i32.load
      drop
      local.get $p
      i32.const 4
      i32.add
      local.set $p
      i32.const 8
      local.set $p
      local.get $p
      br_if $l
    end
  )
  (func $by_variable (;1;) (type 1) (param $p i32) (param $by i32)
    loop $l
      call $kernelpack:touch
      local.get $p
      i32.load
      drop
      local.get $p
      local.get $by
      i32.add
      local.set $p
      local.get $p
      br_if $l
    end
  )
  (func $by_nothing (;2;) (type 0) (param $p i32)
    loop $l
      call $kernelpack:touch
      local.get $p
      i32.load
      drop
      local.get $p
      i32.const 0
      i32.add
      local.set $p
      local.get $p
      br_if $l
    end
  )
  (func $some_ways (;3;) (type 1) (param $p i32) (param $n i32)
    loop $l
      call $kernelpack:touch
      local.get $p
      i32.load
      drop
      local.get $n
      if ;; label = @2
        local.get $p
        i32.const 4
        i32.add
        local.set $p
      end
      local.get $p
      br_if $l
    end
  )
  (func $too_late (;4;) (type 1) (param $p i32) (param $n i32)
    loop $l
      call $kernelpack:touch
      local.get $p
      i32.load
      drop
      local.get $n
      br_if $l
      local.get $p
      i32.const 4
      i32.add
      local.set $p
      local.get $p
      br_if $l
    end
  )
  (func $far_shift (;5;) (type 0) (param $p i32)
    loop $l
      call $kernelpack:touch
      local.get $p
      i32.const 31
      i32.shl
      i32.load
      drop
      local.get $p
      i32.const 2
      i32.add
      local.set $p
      local.get $p
      br_if $l
    end
  )
  (func $no_way_back (;6;) (type 0) (param $n i32)
    (local $p i32)
    loop $outer
      call $kernelpack:touch
      i32.const 8
      local.set $p
      loop $inner
        local.get $p
        i32.load
        drop
        local.get $p
        i32.const 4
        i32.add
        local.set $p
      end
      local.get $n
      br_if $outer
    end
  )
