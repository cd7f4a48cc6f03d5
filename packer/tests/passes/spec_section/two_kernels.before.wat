(module
  (@custom "kernelpack.spec" "this kernel and another")
  (@custom "other" "stays"))
