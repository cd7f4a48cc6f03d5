(module
  (table 3 3 funcref))
