//! The message channel: a buffer in the guest that the host reads after a failed call.
//!
//! The host finds it through the exported symbol `kernel_message`: a little-endian `u32` length, then that many bytes
//! of UTF-8. A length of 0 means no message.

use core::{cell::UnsafeCell, fmt};

use kernelpack_abi::{MESSAGE_CAPACITY, Message};

#[repr(C)]
struct Content {
    len: u32,
    bytes: [u8; MESSAGE_CAPACITY],
}

/// The buffer, shared with the host.
#[repr(transparent)]
struct Buffer(UnsafeCell<Content>);

// SAFETY: WebAssembly modules of this ABI are single-threaded, and the host reads only when the guest is not running.
unsafe impl Sync for Buffer {}

#[unsafe(export_name = "kernel_message")]
static BUFFER: Buffer = Buffer(UnsafeCell::new(Content { len: 0, bytes: [0; MESSAGE_CAPACITY] }));

/// Returns the address of the buffer.
pub(crate) fn address() -> u32 {
    BUFFER.0.get().addr() as u32
}

/// Clears the message.
#[inline]
pub(crate) fn clear() {
    // SAFETY: the module is single-threaded, and no reference into the buffer outlives a function of this file.
    unsafe { (*BUFFER.0.get()).len = 0 };
}

/// Leaves a message, cut to the buffer's capacity.
#[cold]
pub(crate) fn set(args: fmt::Arguments<'_>) {
    put(&Message::new(args));
}

/// Leaves a message that is already formatted.
#[cold]
pub(crate) fn put(message: &Message) {
    let (len, bytes) = message.as_parts();
    // SAFETY: as in `clear`.
    unsafe { *BUFFER.0.get() = Content { len: len as u32, bytes: *bytes } };
}
