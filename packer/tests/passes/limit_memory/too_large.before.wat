(module
  (memory 33))
