(module $m
  (memory 1)
  ;; What cannot be reached does not count, neither as access nor as a way.
  (func $f (param $p i32)
    (drop (i32.load (i32.const 0)))
    (loop $l
      (block $b
        (br_if $b (local.get $p))
        (return)
        (br $l)
        (loop $m (br $m)))
      (br_if $l (local.get $p))))
  (func $dead_way_back (param $p i32)
    (drop (i32.load (i32.const 0)))
    (loop $l
      (return)
      (br $l))))
