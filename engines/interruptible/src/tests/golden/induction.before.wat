(module $m
  (memory 1)
  ;; Up and down, by base and offset, by a scaled number, by a copy: none gets a touch.
  (func $up (param $p i32) (param $end i32)
    (loop $l
      (i32.store (local.get $p) (i32.const 1))
      (br_if $l (i32.ne (local.tee $p (i32.add (local.get $p) (i32.const 4))) (local.get $end)))))
  (func $down (param $base i32) (param $n i32)
    (loop $l
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (i32.store8 (i32.add (local.get $base) (local.get $n)) (i32.const 1))
      (br_if $l (local.get $n))))
  (func $scaled (param $from i32) (param $to i32) (param $n i32)
    (local $i i32) (local $o i32)
    (loop $l
      (v128.store
        (i32.add (local.get $to) (local.tee $o (i32.shl (local.get $i) (i32.const 4))))
        (v128.load (i32.add (local.get $from) (local.get $o))))
      (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
  (func $by_way_of (param $p i32) (param $end i32)
    (local $q i32)
    (loop $l
      (f32.store (local.get $p) (f32.const 1))
      (local.set $p (local.tee $q (i32.add (local.get $p) (i32.const 4))))
      (br_if $l (i32.ne (local.get $q) (local.get $end)))))
  (func $step_in_block (param $p i32) (param $end i32)
    (loop $l
      (f32.store (local.get $p) (f32.const 1))
      (block $out
        (br_if $out (i32.eq (local.get $p) (local.get $end)))
        (local.set $p (i32.add (local.get $p) (i32.const 4)))
        (br $l)))))
