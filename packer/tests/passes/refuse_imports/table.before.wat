(module
  (import "env" "__indirect_function_table" (table 1 funcref)))
