(module
  (memory 32))
