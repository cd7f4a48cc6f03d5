(module $m
  (memory 1)
  (func $f (param $x i32) (result i32) (i32.load (local.get $x)))
  ;; A call is an access, where it is on the way.
  (func $on_the_way (param $x i32)
    (drop (i32.load (i32.const 0)))
    (loop $l (br_if $l (call $f (local.get $x))))
    (drop (i32.load (i32.const 0))))
  (func $beside_it (param $x i32)
    (drop (i32.load (i32.const 0)))
    (loop $l
      (if (local.get $x) (then (drop (call $f (local.get $x)))))
      (br_if $l (local.get $x)))
    (drop (i32.load (i32.const 0)))))
