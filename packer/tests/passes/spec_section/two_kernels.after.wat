(module
  (@custom "other" (before first) "stays")
  (@custom "kernelpack.spec" (before first) "only this kernel")
)
