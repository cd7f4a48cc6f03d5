(module $m
  (memory 1)
  (type $t (func (param i32) (result i32)))
  (table 1 funcref)
  ;; An access on every way to the first call or end, or a touch at the start.
  (func $none (param $x i32) (result i32) (i32.mul (local.get $x) (local.get $x)))
  (func $access (param $x i32) (result i32) (i32.load (local.get $x)))
  (func $one_way (param $x i32) (result i32)
    (if (result i32) (local.get $x) (then (i32.load (local.get $x))) (else (i32.const 0))))
  (func $both_ways (param $x i32) (result i32)
    (if (result i32) (local.get $x) (then (i32.load (local.get $x))) (else (i32.load (i32.const 0)))))
  (func $call_first (param $x i32) (result i32) (i32.load (call $access (local.get $x))))
  (func $indirect (param $x i32) (result i32)
    (i32.load (call_indirect (type $t) (i32.load (local.get $x)) (i32.const 0)))))
