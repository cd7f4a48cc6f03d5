(module
  (@custom "kernelpack.spec" "one")
  (@custom "kernelpack.spec" "two"))
