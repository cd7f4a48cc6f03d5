(module $m
  (memory 1)
  ;; Assigned twice, by another variable, by nothing, on some ways only, not before the way back.
  (func $twice (param $p i32)
    (loop $l
      (drop (i32.load (local.get $p)))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))
      (local.set $p (i32.const 8))
      (br_if $l (local.get $p))))
  (func $by_variable (param $p i32) (param $by i32)
    (loop $l
      (drop (i32.load (local.get $p)))
      (local.set $p (i32.add (local.get $p) (local.get $by)))
      (br_if $l (local.get $p))))
  (func $by_nothing (param $p i32)
    (loop $l
      (drop (i32.load (local.get $p)))
      (local.set $p (i32.add (local.get $p) (i32.const 0)))
      (br_if $l (local.get $p))))
  (func $some_ways (param $p i32) (param $n i32)
    (loop $l
      (drop (i32.load (local.get $p)))
      (if (local.get $n) (then (local.set $p (i32.add (local.get $p) (i32.const 4)))))
      (br_if $l (local.get $p))))
  (func $too_late (param $p i32) (param $n i32)
    (loop $l
      (drop (i32.load (local.get $p)))
      (br_if $l (local.get $n))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))
      (br_if $l (local.get $p))))
  (func $far_shift (param $p i32)
    (loop $l
      (drop (i32.load (i32.shl (local.get $p) (i32.const 31))))
      (local.set $p (i32.add (local.get $p) (i32.const 2)))
      (br_if $l (local.get $p))))
  (func $no_way_back (param $n i32)
    (local $p i32)
    (loop $outer
      (local.set $p (i32.const 8))
      (loop $inner
        (drop (i32.load (local.get $p)))
        (local.set $p (i32.add (local.get $p) (i32.const 4))))
      (br_if $outer (local.get $n)))))
