(module
  (func $constructor)
  (start $constructor))
