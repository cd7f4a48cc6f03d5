(module $m
  (type (;0;) (func (param i32 i32)))
  (type (;1;) (func))
  (memory (;0;) 1)
  (func $f (;0;) (type 0) (param $p i32) (param $state i32)
    loop $again
      call $kernelpack:touch
      loop $skip
        call $kernelpack:touch
        block $a
          block $b
            local.get $state
            br_table $a $b $again $skip
          end
          i32.const 0
          local.get $state
          i32.store
          br $again
        end
        local.get $p
        local.get $state
        i32.store
        local.get $p
        i32.const 4
        i32.add
        local.set $p
        br $skip
      end
    end
  )
