(module
  (table 9 funcref))
