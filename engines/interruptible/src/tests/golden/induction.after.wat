(module $m
  (type (;0;) (func (param i32 i32)))
  (type (;1;) (func (param i32 i32 i32)))
  (memory (;0;) 1)
  (func $up (;0;) (type 0) (param $p i32) (param $end i32)
    loop $l
      local.get $p
      i32.const 1
      i32.store
      local.get $p
      i32.const 4
      i32.add
      local.tee $p
      local.get $end
      i32.ne
      br_if $l
    end
  )
  (func $down (;1;) (type 0) (param $base i32) (param $n i32)
    loop $l
      local.get $n
      i32.const 1
      i32.sub
      local.set $n
      local.get $base
      local.get $n
      i32.add
      i32.const 1
      i32.store8
      local.get $n
      br_if $l
    end
  )
  (func $scaled (;2;) (type 1) (param $from i32) (param $to i32) (param $n i32)
    (local $i i32) (local $o i32)
    loop $l
      local.get $to
      local.get $i
      i32.const 4
      i32.shl
      local.tee $o
      i32.add
      local.get $from
      local.get $o
      i32.add
      v128.load
      v128.store
      local.get $i
      i32.const 1
      i32.add
      local.tee $i
      local.get $n
      i32.ne
      br_if $l
    end
  )
  (func $by_way_of (;3;) (type 0) (param $p i32) (param $end i32)
    (local $q i32)
    loop $l
      local.get $p
      f32.const 0x1p+0 (;=1;)
      f32.store
      local.get $p
      i32.const 4
      i32.add
      local.tee $q
      local.set $p
      local.get $q
      local.get $end
      i32.ne
      br_if $l
    end
  )
  (func $step_in_block (;4;) (type 0) (param $p i32) (param $end i32)
    loop $l
      local.get $p
      f32.const 0x1p+0 (;=1;)
      f32.store
      block $out
        local.get $p
        local.get $end
        i32.eq
        br_if $out
        local.get $p
        i32.const 4
        i32.add
        local.set $p
        br $l
      end
    end
  )
)
