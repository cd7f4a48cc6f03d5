(module $m
  (type (;0;) (func (param i32 i32 i32)))
  (type (;1;) (func))
  (memory (;0;) 1)
  (func $through (;0;) (type 0) (param $p i32) (param $rows i32) (param $columns i32)
    (local $i i32)
    loop $outer
      i32.const 0
      local.set $i
      loop $inner
        local.get $p
        local.get $i
        i32.add
        i32.const 1
        i32.store8
        local.get $i
        i32.const 1
        i32.add
        local.tee $i
        local.get $columns
        i32.ne
        br_if $inner
      end
      local.get $p
      local.get $columns
      i32.add
      local.set $p
      local.get $rows
      i32.const 1
      i32.sub
      local.tee $rows
      br_if $outer
    end
  )
  (func $past (;1;) (type 0) (param $p i32) (param $rows i32) (param $columns i32)
    (local $i i32)
    loop $outer
      call $kernelpack:touch
      i32.const 0
      local.set $i
      local.get $columns
      if ;; label = @2
        loop $inner
          local.get $p
          local.get $i
          i32.add
          i32.const 1
          i32.store8
          local.get $i
          i32.const 1
          i32.add
          local.tee $i
          local.get $columns
          i32.ne
          br_if $inner
        end
      end
      local.get $rows
      i32.const 1
      i32.sub
      local.tee $rows
      br_if $outer
    end
  )
  (func $outer_only (;2;) (type 0) (param $p i32) (param $rows i32) (param $n i32)
    (local $i i32)
    loop $outer
      loop $inner
        call $kernelpack:touch
        local.get $p
        local.get $i
        i32.store
        local.get $i
        i32.const 1
        i32.add
        local.tee $i
        local.get $n
        i32.ne
        br_if $inner
      end
      local.get $p
      i32.const 4
      i32.add
      local.tee $p
      local.get $rows
      i32.ne
      br_if $outer
    end
  )
