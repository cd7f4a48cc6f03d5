(module
  (table 5 funcref)
  (table 4 funcref))
