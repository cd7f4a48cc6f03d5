(module
  (@custom "kernelpack.spec" (before first) "only this kernel")
)
