(module
  (memory (;0;) 17 32)
)
