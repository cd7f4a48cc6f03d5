//! The custom section in which a module carries the specs of its kernels.
//!
//! The section is a sequence of entries, one per kernel. An entry starts with a header that all schema versions share,
//! so that a reader can always report what it found:
//!
//! ```text
//! offset  size  what
//! 0       4     the bytes "KPSP"
//! 4       4     bytes of the entry, header included
//! 8       2     version of the schema of the payload
//! 10      2     version of the ABI that the guest was built for
//! 12      2+n   the crate that wrote the entry, "name version": a u16 length and UTF-8
//! ```
//!
//! `#[kernel]` makes entries with [`encode`], as constants; packers and hosts read them with `decode`.

use crate::{ABI_VERSION, Dim, KernelSpec, Op, Signature};

/// The name of the section.
pub const NAME: &str = "kernelpack.spec";

/// The version of the payload's schema, which is independent of the crates' versions.
///
/// Version 2, which lacks the symbols that calls may be split over, can be read too.
pub const SCHEMA_VERSION: u16 = 3;

/// The oldest version that can be read.
#[cfg(feature = "alloc")]
const OLDEST_SCHEMA_VERSION: u16 = 2;

const MAGIC: [u8; 4] = *b"KPSP";

/// Returns the size in bytes of the entry that [`encode`] makes.
pub const fn encoded_len(spec: &KernelSpec<'_>, writer: &str) -> usize {
    // A sink whose buffer is full still counts the bytes.
    let mut sink = Sink { bytes: &mut [], len: 0 };
    write_entry(&mut sink, spec, writer, 0);
    sink.len
}

/// Encodes a kernel's entry for a custom section. `N` must be [`encoded_len`]; `writer` is the crate's name and
/// version.
///
/// # Panics
/// `N` is wrong, or a text or list is too long for the schema. `#[kernel]` calls this at compile time only.
pub const fn encode<const N: usize>(spec: &KernelSpec<'_>, writer: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut sink = Sink { bytes: &mut bytes, len: 0 };
    write_entry(&mut sink, spec, writer, N as u32);
    assert!(sink.len == N);
    bytes
}

/// Like [`encode`], for an entry whose length is known only at run time.
///
/// # Panics
/// A text or list is too long for the schema.
#[cfg(feature = "alloc")]
pub fn encode_to_vec(spec: &KernelSpec<'_>, writer: &str) -> alloc::vec::Vec<u8> {
    let mut bytes = alloc::vec![0; encoded_len(spec, writer)];
    let len = bytes.len() as u32;
    write_entry(&mut Sink { bytes: &mut bytes, len: 0 }, spec, writer, len);
    bytes
}

struct Sink<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl Sink<'_> {
    const fn raw(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            if self.len < self.bytes.len() {
                self.bytes[self.len] = bytes[at];
            }
            self.len += 1;
            at += 1;
        }
    }

    const fn u8(&mut self, value: usize) {
        assert!(value <= u8::MAX as usize, "a list of a kernel spec has more than 255 items");
        self.raw(&[value as u8]);
    }

    const fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    const fn text(&mut self, text: &str) {
        assert!(text.len() <= u16::MAX as usize, "a text of a kernel spec is longer than 65535 bytes");
        self.raw(&(text.len() as u16).to_le_bytes());
        self.raw(text.as_bytes());
    }
}

const fn write_entry(sink: &mut Sink<'_>, spec: &KernelSpec<'_>, writer: &str, entry_len: u32) {
    sink.raw(&MAGIC);
    sink.u32(entry_len);
    sink.raw(&SCHEMA_VERSION.to_le_bytes());
    sink.raw(&(ABI_VERSION as u16).to_le_bytes());
    sink.text(writer);
    sink.text(spec.id);
    sink.text(spec.name);
    sink.text(spec.description);
    sink.text(spec.category);
    sink.text(spec.family);
    sink.text(spec.entry_point);
    sink.text(spec.fallback);
    sink.u32(spec.limits.max_memory_pages);
    sink.u32(spec.limits.max_epoch_ticks);
    sink.u32(spec.limits.max_table_elements);
    sink.u32(spec.limits.max_instances);
    sink.u32(spec.limits.max_stack_bytes);
    sink.u8(spec.lifecycle.init as usize);
    sink.u8(spec.lifecycle.cleanup as usize);
    write_signature(sink, &spec.forward);
    match &spec.backward {
        None => sink.u8(0),
        Some(signature) => {
            sink.u8(1);
            write_signature(sink, signature);
        }
    }
    sink.u8(spec.split.len());
    let mut at = 0;
    while at < spec.split.len() {
        sink.u8(spec.split[at] as usize);
        at += 1;
    }
}

const fn write_signature(sink: &mut Sink<'_>, signature: &Signature<'_>) {
    let mut at = 0;
    sink.u8(signature.symbols.len());
    while at < signature.symbols.len() {
        sink.text(signature.symbols[at]);
        at += 1;
    }
    at = 0;
    sink.u8(signature.tensors.len());
    while at < signature.tensors.len() {
        let tensor = &signature.tensors[at];
        sink.text(tensor.name);
        sink.u8(tensor.dtype as usize);
        sink.u8(tensor.role as usize);
        sink.u8(tensor.optional as usize);
        sink.u8(tensor.dims.len());
        let mut axis = 0;
        while axis < tensor.dims.len() {
            let (tag, symbol, number) = match tensor.dims[axis] {
                Dim::Fixed(extent) => (0, 0, extent),
                Dim::Symbol(symbol) => (1, symbol, 0),
                Dim::Div(symbol, by) => (2, symbol, by),
                Dim::Mul(symbol, by) => (3, symbol, by),
            };
            sink.u8(tag);
            sink.u8(symbol as usize);
            sink.u32(number);
            axis += 1;
        }
        let ops = tensor.len.0;
        sink.u8(ops.len());
        let mut step = 0;
        while step < ops.len() {
            let (tag, number) = match ops[step] {
                Op::Const(value) => (0, value),
                Op::Symbol(symbol) => (1, symbol as u32),
                Op::Add => (2, 0),
                Op::Sub => (3, 0),
                Op::Mul => (4, 0),
                Op::Div => (5, 0),
            };
            sink.u8(tag);
            sink.u32(number);
            step += 1;
        }
        at += 1;
    }
    at = 0;
    sink.u8(signature.params.len());
    while at < signature.params.len() {
        let param = &signature.params[at];
        sink.text(param.name);
        sink.u8(param.ty as usize);
        match param.default {
            None => sink.u8(0),
            Some(value) => {
                sink.u8(1);
                sink.u32(value.to_bits());
            }
        }
        at += 1;
    }
}

#[cfg(feature = "alloc")]
mod decode;
#[cfg(feature = "alloc")]
pub use decode::{Entry, SectionError, decode};

#[cfg(all(test, feature = "alloc"))]
mod tests;
