//! The functions that are appended to modules: the touch, one that does nothing, and `memory.fill` and `memory.copy` in
//! WebAssembly.
//!
//! Wasmtime implements these two instructions with the host's `memset` and `memmove`, where a fault would end the
//! process, and where neither an epoch nor page protection stops them. As functions they are stopped like any other
//! code. They keep the semantics of the instructions: a range that is partly outside of memory traps before any byte is
//! written, overlapping ranges are copied as if through a buffer, and an empty range at the very end of memory is
//! valid.
//!
//! `golden/helpers.wat` shows them as text.

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};

/// The size of a vector in bytes.
const VECTOR: i32 = 16;
/// The number of bytes per iteration of the main loops.
const BLOCK: i32 = 64;

const DESTINATION: u32 = 0;
const SOURCE: u32 = 1;
const BYTE: u32 = 1;
const LENGTH: u32 = 2;
/// The local that holds the saved vector, after the three parameters.
const KEPT: u32 = 3;

/// A function that can be added to a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Helper {
    /// Loads from address 0.
    Touch,
    /// Does nothing: epochs interrupt at the start of functions.
    Check,
    /// `memory.fill`.
    Fill,
    /// `memory.copy`.
    Copy,
}

impl Helper {
    /// Returns the function's name for name sections.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Touch => "kernelpack:touch",
            Self::Check => "kernelpack:check",
            Self::Fill => "kernelpack:fill",
            Self::Copy => "kernelpack:copy",
        }
    }

    /// Returns the function's parameters; no helper has results.
    pub(super) fn params(self) -> &'static [ValType] {
        match self {
            Self::Touch | Self::Check => &[],
            Self::Fill | Self::Copy => &[ValType::I32; 3],
        }
    }

    /// Returns the function's encoded locals and instructions.
    pub(super) fn body(self) -> Vec<u8> {
        let (mut body, write): (_, fn(&mut InstructionSink<'_>)) = match self {
            Self::Touch => (Function::new([]), touch),
            Self::Check => (Function::new([]), |_| {}),
            Self::Fill => (Function::new([(1, ValType::V128)]), fill),
            Self::Copy => (Function::new([(1, ValType::V128)]), copy),
        };
        write(&mut body.instructions());
        body.instructions().end();
        body.into_raw_body()
    }
}

fn touch(code: &mut InstructionSink<'_>) {
    code.i32_const(0).i32_load(at(0)).drop();
}

fn fill(code: &mut InstructionSink<'_>) {
    trap_outside(code, &[DESTINATION]);
    code.local_get(BYTE).i8x16_splat().local_set(KEPT);
    if_at_least(code, VECTOR);
    // The last vector is written first; it covers the remainder that the loops do not.
    end_of(code, DESTINATION, VECTOR);
    code.local_get(KEPT).v128_store(at(0));
    blocks(code, BLOCK, |code| {
        for offset in (0..BLOCK).step_by(VECTOR as usize) {
            code.local_get(DESTINATION).local_get(KEPT).v128_store(at(offset));
        }
        step(code, DESTINATION, BLOCK);
        step(code, LENGTH, -BLOCK);
    });
    blocks(code, VECTOR, |code| {
        code.local_get(DESTINATION).local_get(KEPT).v128_store(at(0));
        step(code, DESTINATION, VECTOR);
        step(code, LENGTH, -VECTOR);
    });
    code.return_().end();
    // Shorter ranges are filled with two overlapping integer stores.
    if_at_least(code, 8);
    code.local_get(DESTINATION).local_get(KEPT).i64x2_extract_lane(0).i64_store(at(0));
    end_of(code, DESTINATION, 8);
    code.local_get(KEPT).i64x2_extract_lane(0).i64_store(at(0)).return_().end();
    if_at_least(code, 4);
    code.local_get(DESTINATION).local_get(KEPT).i32x4_extract_lane(0).i32_store(at(0));
    end_of(code, DESTINATION, 4);
    code.local_get(KEPT).i32x4_extract_lane(0).i32_store(at(0)).return_().end();
    if_at_least(code, 1);
    code.local_get(DESTINATION).local_get(BYTE).i32_store8(at(0));
    middle_of(code, DESTINATION);
    code.local_get(BYTE).i32_store8(at(0));
    end_of(code, DESTINATION, 1);
    code.local_get(BYTE).i32_store8(at(0)).return_().end();
    touch(code);
}

fn copy(code: &mut InstructionSink<'_>) {
    trap_outside(code, &[DESTINATION, SOURCE]);
    if_at_least(code, BLOCK + 1);
    // Copies forwards, unless the destination starts inside the source.
    code.local_get(DESTINATION).local_get(SOURCE).i32_sub().local_get(LENGTH).i32_ge_u().if_(BlockType::Empty);
    end_of(code, SOURCE, VECTOR);
    code.v128_load(at(0)).local_set(KEPT);
    // The destination of the last vector stays on the stack during the loops, since they move the start.
    end_of(code, DESTINATION, VECTOR);
    blocks(code, BLOCK, |code| {
        move_block(code, |code, local| _ = code.local_get(local));
        step(code, DESTINATION, BLOCK);
        step(code, SOURCE, BLOCK);
        step(code, LENGTH, -BLOCK);
    });
    blocks(code, VECTOR, |code| {
        code.local_get(DESTINATION).local_get(SOURCE).v128_load(at(0)).v128_store(at(0));
        step(code, DESTINATION, VECTOR);
        step(code, SOURCE, VECTOR);
        step(code, LENGTH, -VECTOR);
    });
    code.local_get(KEPT).v128_store(at(0)).return_().end();
    code.local_get(SOURCE).v128_load(at(0)).local_set(KEPT);
    blocks(code, BLOCK, |code| {
        step(code, LENGTH, -BLOCK);
        move_block(code, |code, local| _ = code.local_get(local).local_get(LENGTH).i32_add());
    });
    blocks(code, VECTOR, |code| {
        step(code, LENGTH, -VECTOR);
        code.local_get(DESTINATION).local_get(LENGTH).i32_add();
        code.local_get(SOURCE).local_get(LENGTH).i32_add().v128_load(at(0)).v128_store(at(0));
    });
    code.local_get(DESTINATION).local_get(KEPT).v128_store(at(0)).return_().end();
    // In shorter ranges, all bytes are read before any is written.
    if_at_least(code, 2 * VECTOR + 1);
    for offset in [0, VECTOR] {
        code.local_get(DESTINATION).local_get(SOURCE).v128_load(at(offset));
    }
    for end in [2 * VECTOR, VECTOR] {
        end_of(code, DESTINATION, end);
        end_of(code, SOURCE, end);
        code.v128_load(at(0));
    }
    code.v128_store(at(0)).v128_store(at(0)).v128_store(at(VECTOR)).v128_store(at(0)).return_().end();
    let mut two = |bytes, load: fn(&mut InstructionSink<'_>), store: fn(&mut InstructionSink<'_>)| {
        if_at_least(code, bytes);
        code.local_get(DESTINATION).local_get(SOURCE);
        load(code);
        end_of(code, DESTINATION, bytes);
        end_of(code, SOURCE, bytes);
        load(code);
        store(code);
        store(code);
        code.return_().end();
    };
    two(VECTOR, |code| _ = code.v128_load(at(0)), |code| _ = code.v128_store(at(0)));
    two(8, |code| _ = code.i64_load(at(0)), |code| _ = code.i64_store(at(0)));
    two(4, |code| _ = code.i32_load(at(0)), |code| _ = code.i32_store(at(0)));
    if_at_least(code, 1);
    code.local_get(DESTINATION).local_get(SOURCE).i32_load8_u(at(0));
    middle_of(code, DESTINATION);
    middle_of(code, SOURCE);
    code.i32_load8_u(at(0));
    end_of(code, DESTINATION, 1);
    end_of(code, SOURCE, 1);
    code.i32_load8_u(at(0)).i32_store8(at(0)).i32_store8(at(0)).i32_store8(at(0)).return_().end();
    touch(code);
}

/// Traps with an out-of-bounds access unless the ranges that start at these addresses are in memory.
fn trap_outside(code: &mut InstructionSink<'_>, starts: &[u32]) {
    for &start in starts {
        code.local_get(start).i64_extend_i32_u().local_get(LENGTH).i64_extend_i32_u().i64_add();
        code.memory_size(0).i64_extend_i32_u().i64_const(16).i64_shl().i64_gt_u().if_(BlockType::Empty);
        // This access is out of bounds in any memory.
        code.i32_const(-1).i64_load(MemArg { offset: u64::from(u32::MAX), align: 0, memory_index: 0 });
        code.drop().unreachable().end();
    }
}

fn if_at_least(code: &mut InstructionSink<'_>, bytes: i32) {
    code.local_get(LENGTH).i32_const(bytes).i32_ge_u().if_(BlockType::Empty);
}

/// Repeats `body`, which takes `bytes` off the length, while at least that many are left.
fn blocks(code: &mut InstructionSink<'_>, bytes: i32, body: impl FnOnce(&mut InstructionSink<'_>)) {
    if_at_least(code, bytes);
    code.loop_(BlockType::Empty);
    body(code);
    code.local_get(LENGTH).i32_const(bytes).i32_ge_u().br_if(0).end().end();
}

/// Reads a whole block before it writes any of it.
fn move_block(code: &mut InstructionSink<'_>, address: impl Fn(&mut InstructionSink<'_>, u32)) {
    let offsets = (0..BLOCK).step_by(VECTOR as usize);
    for offset in offsets.clone() {
        address(code, DESTINATION);
        address(code, SOURCE);
        code.v128_load(at(offset));
    }
    for offset in offsets.rev() {
        code.v128_store(at(offset));
    }
}

/// Pushes the address this many bytes before the end of a range.
fn end_of(code: &mut InstructionSink<'_>, start: u32, bytes: i32) {
    code.local_get(start).local_get(LENGTH).i32_add().i32_const(bytes).i32_sub();
}

/// Pushes the address of the middle of a range.
fn middle_of(code: &mut InstructionSink<'_>, start: u32) {
    code.local_get(start).local_get(LENGTH).i32_const(1).i32_shr_u().i32_add();
}

fn step(code: &mut InstructionSink<'_>, local: u32, bytes: i32) {
    code.local_get(local).i32_const(bytes).i32_add().local_set(local);
}

/// Returns the immediate of an unaligned access at this offset.
fn at(offset: i32) -> MemArg {
    MemArg { offset: u64::from(offset.unsigned_abs()), align: 0, memory_index: 0 }
}
