(module
  (table 3 100 funcref))
