//! The second stack of guests, in linear memory.
//!
//! Engines know nothing of it: where it overflows, a guest accesses memory out of bounds. Compilers keep the pointer into
//! it in the only variable of a module, which tells these accesses from others.

/// Where the stack in linear memory starts, to grow downwards.
#[derive(Clone, Copy, Debug)]
pub struct ShadowStack {
    start: u32,
}

impl ShadowStack {
    /// What a function that calls no other may use below the pointer, without moving it.
    const RED_ZONE: u32 = 128;
    /// What the packer lets a stack have, at least; the linker aligns it to 16 bytes.
    const LEAST_BYTES: u32 = 4096;

    /// The stack of a module whose only variable starts with this value.
    pub fn starting_at(start: u32) -> Option<Self> {
        // What starts elsewhere is a variable of another kind.
        (start >= Self::LEAST_BYTES && start.is_multiple_of(16)).then_some(Self { start })
    }

    /// Whether the stack has left memory at its lower end, now that the variable has this value: the linker puts the stack
    /// first, so that the pointer then wraps around, or soon would. An access that is out of bounds by itself leaves the
    /// pointer within the stack.
    pub fn overflowed(self, pointer: u32) -> bool {
        pointer < Self::RED_ZONE || pointer > self.start
    }
}

#[cfg(test)]
mod tests;
