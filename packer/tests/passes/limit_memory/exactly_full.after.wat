(module
  (memory (;0;) 32 32)
)
