//! Messages that WAMR writes.

use std::ffi::c_char;

/// A buffer for WAMR's message about a failure.
pub(super) struct Words([u8; Self::CAPACITY as usize]);

impl Words {
    /// The buffer's size.
    pub(super) const CAPACITY: u32 = 128;

    pub(super) fn new() -> Self {
        Self([0; Self::CAPACITY as usize])
    }

    pub(super) fn ptr(&mut self) -> *mut c_char {
        self.0.as_mut_ptr().cast()
    }

    pub(super) fn text(&self) -> String {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        String::from_utf8_lossy(&self.0[..end]).into_owned()
    }
}
