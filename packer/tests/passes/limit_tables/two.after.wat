(module
  (table (;0;) 3 4 funcref)
  (table (;1;) 4 4 funcref)
)
