(module
  (table (;0;) 3 8 funcref)
)
