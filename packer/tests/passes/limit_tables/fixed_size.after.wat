(module
  (table (;0;) 3 3 funcref)
)
