(module $m
  (memory 1)
  (func $f (param $p i32)
    (loop $l0 (loop $l1 (loop $l2 (loop $l3 (loop $l4 (loop $l5 (loop $l6 (loop $l7 (loop $l8 (loop $l9 (loop $l10 (loop $l11 (loop $l12 (loop $l13 (loop $l14 (loop $l15 (loop $l16 (loop $l17
      (drop (i32.load (local.get $p)))
      (local.set $p (i32.add (local.get $p) (i32.const 4)))
      (br_if $l17 (local.get $p))))))))))))))))))))))
