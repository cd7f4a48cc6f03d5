(module
  (table 3 funcref))
