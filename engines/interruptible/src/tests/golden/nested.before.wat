(module $m
  (memory 1)
  ;; What the inner loop accesses counts for the outer one, if there is no way past it.
  (func $through (param $p i32) (param $rows i32) (param $columns i32)
    (local $i i32)
    (loop $outer
      (local.set $i (i32.const 0))
      (loop $inner
        (i32.store8 (i32.add (local.get $p) (local.get $i)) (i32.const 1))
        (br_if $inner (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $columns))))
      (local.set $p (i32.add (local.get $p) (local.get $columns)))
      (br_if $outer (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
  (func $past (param $p i32) (param $rows i32) (param $columns i32)
    (local $i i32)
    (loop $outer
      (local.set $i (i32.const 0))
      (if (local.get $columns)
        (then
          (loop $inner
            (i32.store8 (i32.add (local.get $p) (local.get $i)) (i32.const 1))
            (br_if $inner (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $columns))))))
      (br_if $outer (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))
  ;; The variable of the outer loop stands still in the inner one.
  (func $outer_only (param $p i32) (param $rows i32) (param $n i32)
    (local $i i32)
    (loop $outer
      (loop $inner
        (i32.store (local.get $p) (local.get $i))
        (br_if $inner (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (br_if $outer (i32.ne (local.tee $p (i32.add (local.get $p) (i32.const 4))) (local.get $rows))))))
