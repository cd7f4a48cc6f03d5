//! The guest's second stack, which compilers keep in linear memory.
//!
//! Engines do not know of it: when it overflows, the guest accesses memory out of bounds. Compilers keep the stack
//! pointer in the module's only mutable global, whose value distinguishes such accesses from others.

/// The initial position of the stack in linear memory; it grows downwards.
#[derive(Clone, Copy, Debug)]
pub struct ShadowStack {
    start: u32,
}

impl ShadowStack {
    /// The bytes that a leaf function may use below the stack pointer without moving it.
    const RED_ZONE: u32 = 128;
    /// The smallest stack that the packer allows; the linker aligns it to 16 bytes.
    const LEAST_BYTES: u32 = 4096;

    /// Returns the stack of a module whose only mutable global has this initial value.
    pub fn starting_at(start: u32) -> Option<Self> {
        // A global with any other initial value is not a stack pointer.
        (start >= Self::LEAST_BYTES && start.is_multiple_of(16)).then_some(Self { start })
    }

    /// Returns whether the stack has left memory at its lower end, given the global's current value. The linker puts
    /// the stack first, so on overflow the pointer wraps around, or soon would. Any other out-of-bounds access leaves
    /// the pointer within the stack.
    pub fn overflowed(self, pointer: u32) -> bool {
        pointer < Self::RED_ZONE || pointer > self.start
    }
}

#[cfg(test)]
mod tests;
