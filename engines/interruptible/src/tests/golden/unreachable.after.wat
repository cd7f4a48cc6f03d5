(module $m
  (type (;0;) (func (param i32)))
  (type (;1;) (func))
  (memory (;0;) 1)
  (func $f (;0;) (type 0) (param $p i32)
    i32.const 0
    i32.load
    drop
    loop $l
      call $kernelpack:touch
      block $b
        local.get $p
        br_if $b
        return
        br $l
        loop $m
          br $m
        end
      end
      local.get $p
      br_if $l
    end
  )
  (func $dead_way_back (;1;) (type 0) (param $p i32)
    i32.const 0
    i32.load
    drop
    loop $l
      return
      br $l
    end
  )
