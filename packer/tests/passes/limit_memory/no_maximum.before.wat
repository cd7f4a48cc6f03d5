(module
  (memory 17))
