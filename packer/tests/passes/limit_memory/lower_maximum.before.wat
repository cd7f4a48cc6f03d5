(module
  (memory 17 18))
