  (func $kernelpack:touch (;1;) (type 0)
    i32.const 0
    i32.load align=1
    drop
  )
  (func $kernelpack:fill (;2;) (type 1) (param i32 i32 i32)
    (local v128)
    local.get 0
    i64.extend_i32_u
    local.get 2
    i64.extend_i32_u
    i64.add
    memory.size
    i64.extend_i32_u
    i64.const 16
    i64.shl
    i64.gt_u
    if ;; label = @1
      i32.const -1
      i64.load offset=4294967295 align=1
      drop
      unreachable
    end
    local.get 1
    i8x16.splat
    local.set 3
    local.get 2
    i32.const 16
    i32.ge_u
    if ;; label = @1
      local.get 0
      local.get 2
      i32.add
      i32.const 16
      i32.sub
      local.get 3
      v128.store align=1
      local.get 2
      i32.const 64
      i32.ge_u
      if ;; label = @2
        loop ;; label = @3
          local.get 0
          local.get 3
          v128.store align=1
          local.get 0
          local.get 3
          v128.store offset=16 align=1
          local.get 0
          local.get 3
          v128.store offset=32 align=1
          local.get 0
          local.get 3
          v128.store offset=48 align=1
          local.get 0
          i32.const 64
          i32.add
          local.set 0
          local.get 2
          i32.const -64
          i32.add
          local.set 2
          local.get 2
          i32.const 64
          i32.ge_u
          br_if 0 (;@3;)
        end
      end
      local.get 2
      i32.const 16
      i32.ge_u
      if ;; label = @2
        loop ;; label = @3
          local.get 0
          local.get 3
          v128.store align=1
          local.get 0
          i32.const 16
          i32.add
          local.set 0
          local.get 2
          i32.const -16
          i32.add
          local.set 2
          local.get 2
          i32.const 16
          i32.ge_u
          br_if 0 (;@3;)
        end
      end
      return
    end
    local.get 2
    i32.const 8
    i32.ge_u
    if ;; label = @1
      local.get 0
      local.get 3
      i64x2.extract_lane 0
      i64.store align=1
      local.get 0
      local.get 2
      i32.add
      i32.const 8
      i32.sub
      local.get 3
      i64x2.extract_lane 0
      i64.store align=1
      return
    end
    local.get 2
    i32.const 4
    i32.ge_u
    if ;; label = @1
      local.get 0
      local.get 3
      i32x4.extract_lane 0
      i32.store align=1
      local.get 0
      local.get 2
      i32.add
      i32.const 4
      i32.sub
      local.get 3
      i32x4.extract_lane 0
      i32.store align=1
      return
    end
    local.get 2
    i32.const 1
    i32.ge_u
    if ;; label = @1
      local.get 0
      local.get 1
      i32.store8
      local.get 0
      local.get 2
      i32.const 1
      i32.shr_u
      i32.add
      local.get 1
      i32.store8
      local.get 0
      local.get 2
      i32.add
      i32.const 1
      i32.sub
      local.get 1
      i32.store8
      return
    end
    i32.const 0
    i32.load align=1
    drop
  )
  (func $kernelpack:copy (;3;) (type 1) (param i32 i32 i32)
    (local v128)
    local.get 0
    i64.extend_i32_u
    local.get 2
    i64.extend_i32_u
    i64.add
    memory.size
    i64.extend_i32_u
    i64.const 16
    i64.shl
    i64.gt_u
    if ;; label = @1
      i32.const -1
      i64.load offset=4294967295 align=1
      drop
      unreachable
    end
    local.get 1
    i64.extend_i32_u
    local.get 2
    i64.extend_i32_u
    i64.add
    memory.size
    i64.extend_i32_u
    i64.const 16
    i64.shl
    i64.gt_u
    if ;; label = @1
      i32.const -1
      i64.load offset=4294967295 align=1
      drop
      unreachable
    end
    local.get 2
    i32.const 65
    i32.ge_u
    if ;; label = @1
      local.get 0
      local.get 1
      i32.sub
      local.get 2
      i32.ge_u
      if ;; label = @2
        local.get 1
        local.get 2
        i32.add
        i32.const 16
        i32.sub
        v128.load align=1
        local.set 3
        local.get 0
        local.get 2
        i32.add
        i32.const 16
        i32.sub
        local.get 2
        i32.const 64
        i32.ge_u
        if ;; label = @3
          loop ;; label = @4
            local.get 0
            local.get 1
            v128.load align=1
            local.get 0
            local.get 1
            v128.load offset=16 align=1
            local.get 0
            local.get 1
            v128.load offset=32 align=1
            local.get 0
            local.get 1
            v128.load offset=48 align=1
            v128.store offset=48 align=1
            v128.store offset=32 align=1
            v128.store offset=16 align=1
            v128.store align=1
            local.get 0
            i32.const 64
            i32.add
            local.set 0
            local.get 1
            i32.const 64
            i32.add
            local.set 1
            local.get 2
            i32.const -64
            i32.add
            local.set 2
            local.get 2
            i32.const 64
            i32.ge_u
            br_if 0 (;@4;)
          end
        end
        local.get 2
        i32.const 16
        i32.ge_u
        if ;; label = @3
          loop ;; label = @4
            local.get 0
            local.get 1
            v128.load align=1
            v128.store align=1
            local.get 0
            i32.const 16
            i32.add
            local.set 0
            local.get 1
            i32.const 16
            i32.add
            local.set 1
            local.get 2
            i32.const -16
            i32.add
            local.set 2
            local.get 2
            i32.const 16
            i32.ge_u
            br_if 0 (;@4;)
          end
        end
        local.get 3
        v128.store align=1
        return
      end
      local.get 1
      v128.load align=1
      local.set 3
      local.get 2
      i32.const 64
      i32.ge_u
      if ;; label = @2
        loop ;; label = @3
          local.get 2
          i32.const -64
          i32.add
          local.set 2
          local.get 0
          local.get 2
          i32.add
          local.get 1
          local.get 2
          i32.add
          v128.load align=1
          local.get 0
          local.get 2
          i32.add
          local.get 1
          local.get 2
          i32.add
          v128.load offset=16 align=1
          local.get 0
          local.get 2
          i32.add
          local.get 1
          local.get 2
          i32.add
          v128.load offset=32 align=1
          local.get 0
          local.get 2
          i32.add
          local.get 1
          local.get 2
          i32.add
          v128.load offset=48 align=1
          v128.store offset=48 align=1
          v128.store offset=32 align=1
          v128.store offset=16 align=1
          v128.store align=1
          local.get 2
          i32.const 64
          i32.ge_u
          br_if 0 (;@3;)
        end
      end
      local.get 2
      i32.const 16
      i32.ge_u
      if ;; label = @2
        loop ;; label = @3
          local.get 2
          i32.const -16
          i32.add
          local.set 2
          local.get 0
          local.get 2
          i32.add
          local.get 1
          local.get 2
          i32.add
          v128.load align=1
          v128.store align=1
          local.get 2
          i32.const 16
          i32.ge_u
          br_if 0 (;@3;)
        end
      end
      local.get 0
      local.get 3
      v128.store align=1
      return
    end
    local.get 2
    i32.const 33
    i32.ge_u
    if ;; label = @1
      local.get 0
      local.get 1
      v128.load align=1
      local.get 0
      local.get 1
      v128.load offset=16 align=1
      local.get 0
      local.get 2
      i32.add
      i32.const 32
      i32.sub
      local.get 1
      local.get 2
      i32.add
      i32.const 32
      i32.sub
      v128.load align=1
      local.get 0
      local.get 2
      i32.add
      i32.const 16
      i32.sub
      local.get 1
      local.get 2
      i32.add
      i32.const 16
      i32.sub
      v128.load align=1
      v128.store align=1
      v128.store align=1
      v128.store offset=16 align=1
      v128.store align=1
      return
    end
    local.get 2
    i32.const 16
    i32.ge_u
    if ;; label = @1
      local.get 0
      local.get 1
      v128.load align=1
      local.get 0
      local.get 2
      i32.add
      i32.const 16
      i32.sub
      local.get 1
      local.get 2
      i32.add
      i32.const 16
      i32.sub
      v128.load align=1
      v128.store align=1
      v128.store align=1
      return
    end
    local.get 2
    i32.const 8
    i32.ge_u
    if ;; label = @1
      local.get 0
      local.get 1
      i64.load align=1
      local.get 0
      local.get 2
      i32.add
      i32.const 8
      i32.sub
      local.get 1
      local.get 2
      i32.add
      i32.const 8
      i32.sub
      i64.load align=1
      i64.store align=1
      i64.store align=1
      return
    end
    local.get 2
    i32.const 4
    i32.ge_u
    if ;; label = @1
      local.get 0
      local.get 1
      i32.load align=1
      local.get 0
      local.get 2
      i32.add
      i32.const 4
      i32.sub
      local.get 1
      local.get 2
      i32.add
      i32.const 4
      i32.sub
      i32.load align=1
      i32.store align=1
      i32.store align=1
      return
    end
    local.get 2
    i32.const 1
    i32.ge_u
    if ;; label = @1
      local.get 0
      local.get 1
      i32.load8_u
      local.get 0
      local.get 2
      i32.const 1
      i32.shr_u
      i32.add
      local.get 1
      local.get 2
      i32.const 1
      i32.shr_u
      i32.add
      i32.load8_u
      local.get 0
      local.get 2
      i32.add
      i32.const 1
      i32.sub
      local.get 1
      local.get 2
      i32.add
      i32.const 1
      i32.sub
      i32.load8_u
      i32.store8
      i32.store8
      i32.store8
      return
    end
    i32.const 0
    i32.load align=1
    drop
  )
)
