(module
  (table 3 funcref)
  (table 4 funcref))
