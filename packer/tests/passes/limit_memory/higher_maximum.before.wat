(module
  (memory 17 1000))
