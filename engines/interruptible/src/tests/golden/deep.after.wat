(module $m
  (type (;0;) (func (param i32)))
  (type (;1;) (func))
  (memory (;0;) 1)
  (func $f (;0;) (type 0) (param $p i32)
    loop $l0
      loop $l1
        loop $l2
          loop $l3
            loop $l4
              loop $l5
                loop $l6
                  loop $l7
                    loop $l8
                      loop $l9
                        loop $l10
                          loop $l11
                            loop $l12
                              loop $l13
                                loop $l14
                                  loop $l15
                                    loop $l16
                                      call $kernelpack:touch
                                      loop $l17
                                        call $kernelpack:touch
                                        local.get $p
                                        i32.load
                                        drop
                                        local.get $p
                                        i32.const 4
                                        i32.add
                                        local.set $p
                                        local.get $p
                                        br_if $l17
                                      end
                                    end
                                  end
                                end
                              end
                            end
                          end
                        end
                      end
                    end
                  end
                end
              end
            end
          end
        end
      end
    end
  )
