(module $m
  (memory 1)
  (func $f (param $p i32) (param $state i32)
    (loop $again
      (loop $skip
        (block $a
          (block $b
            (br_table $a $b $again $skip (local.get $state)))
          (i32.store (i32.const 0) (local.get $state))
          (br $again))
        (i32.store (local.get $p) (local.get $state))
        (local.set $p (i32.add (local.get $p) (i32.const 4)))
        (br $skip)))))
