(module $m
  (memory 1)
  (func $untouched (param $p i32) (drop (i32.load (local.get $p))))
  (func $fill (param $p i32)
    (i32.store (local.get $p) (i32.const 0))
    (memory.fill (local.get $p) (i32.const 0) (i32.const 100))
    (i32.store (local.get $p) (i32.const 0)))
  (func $unreachable (param $p i32)
    unreachable
    (memory.copy (local.get $p) (i32.const 0) (i32.const 100))
    memory.fill))
