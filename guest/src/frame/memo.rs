//! The last call that was accepted, so that one which says the same need not be checked again.
//!
//! Hosts lay calls out once and make them many times: descriptor, header and tensor table are then the same to the bit,
//! and comparing them takes a fraction of judging them. What was accepted stays acceptable, since linear memory never
//! shrinks and the module's own data never grow. The scalars are not part of it; only how many bytes they have.

use core::{any::TypeId, slice};

use kernelpack_abi::{
    KernelDescriptor, MAX_TENSORS,
    params::{ENTRY_SIZE, HEADER_SIZE, Params, TensorEntry},
};

use super::{LinearMemory, Parts, Signed};

/// The bytes of a descriptor.
type Head = [u8; KernelDescriptor::SIZE as usize];
/// The bytes of a block's header.
type Header = [u8; HEADER_SIZE as usize];
/// The bytes of a row of the tensor table.
type Row = [u8; ENTRY_SIZE as usize];

/// What the last accepted call had in its descriptor, its header and its tensor table.
#[derive(Debug)]
pub struct Memo {
    /// Whose signature it was accepted for; none before the first.
    signed: Option<TypeId>,
    descriptor: u32,
    params: u32,
    scalars_size: usize,
    head: Head,
    header: Header,
    rows: [Row; MAX_TENSORS],
}

impl Default for Memo {
    fn default() -> Self {
        Self::new()
    }
}

impl Memo {
    /// Remembers nothing yet.
    pub const fn new() -> Self {
        Self {
            signed: None,
            descriptor: 0,
            params: 0,
            scalars_size: 0,
            head: [0; KernelDescriptor::SIZE as usize],
            header: [0; HEADER_SIZE as usize],
            rows: [[0; ENTRY_SIZE as usize]; MAX_TENSORS],
        }
    }

    /// The table and the scalars of a call that is the remembered one but for values.
    ///
    /// # Safety
    /// As [`Frame::open`](super::Frame::open).
    #[inline(always)]
    pub(super) unsafe fn recall<'a, S: Signed>(&self, memory: LinearMemory, descriptor: u32) -> Option<Params<'a>> {
        if self.signed != Some(TypeId::of::<S>()) || self.descriptor != descriptor {
            return None;
        }
        let count = const { S::SIGNATURE.tensors.len() };
        // SAFETY: at these very offsets a descriptor and a block with so many rows were found inside the bounds, and the
        // bounds have not become narrower. Any bytes are bytes.
        let (head, header, rows) = unsafe {
            let head = &*memory.at(descriptor).cast_const().cast::<Head>();
            let header = &*memory.at(self.params).cast_const().cast::<Header>();
            let rows = memory.at(self.params + HEADER_SIZE).cast_const().cast::<Row>();
            (head, header, slice::from_raw_parts(rows, count))
        };
        // The descriptor names the block: if it is the same, the block is where it was.
        let difference =
            between_heads(head, &self.head).or(between(header, &self.header)).or(self.between_rows::<S>(rows));
        if !difference.is_none() {
            return None;
        }
        // SAFETY: the header, which is the remembered one, was accepted with so many rows, at a multiple of 16 bytes, and
        // with this size of the scalars behind them.
        unsafe {
            let entries = rows.as_ptr().cast::<TensorEntry>();
            let scalars = entries.add(count).cast::<u8>();
            Some(Params {
                entries: slice::from_raw_parts(entries, count),
                scalars: slice::from_raw_parts(scalars, self.scalars_size),
            })
        }
    }

    /// What differs between the rows that a signature declares and those remembered. No loop: LLVM would keep it as one.
    #[inline(always)]
    fn between_rows<S: Signed>(&self, rows: &[Row]) -> Difference {
        let row = |index: usize| match rows.get(index) {
            Some(row) if index < const { S::SIGNATURE.tensors.len() } => between(row, &self.rows[index]),
            _ => Difference::NONE,
        };
        let first = (row(0).or(row(1))).or(row(2).or(row(3)));
        let second = (row(4).or(row(5))).or(row(6).or(row(7)));
        let third = (row(8).or(row(9))).or(row(10).or(row(11)));
        let last = (row(12).or(row(13))).or(row(14).or(row(15)));
        (first.or(second)).or(third.or(last))
    }

    /// Remembers a call that was accepted.
    #[inline]
    pub(super) fn remember<S: Signed>(&mut self, descriptor: u32, parts: &Parts<'_>) {
        let Some((header, rows)) = parts.block.split_first_chunk() else { return };
        self.header = *header;
        for (to, row) in self.rows.iter_mut().zip(rows.as_chunks().0).take(parts.params.entries.len()) {
            *to = *row;
        }
        for (to, word) in self.head.as_chunks_mut().0.iter_mut().zip(parts.head.words()) {
            *to = word.to_ne_bytes();
        }
        self.descriptor = descriptor;
        self.params = parts.head.params_offset;
        self.scalars_size = parts.params.scalars.len();
        self.signed = Some(TypeId::of::<S>());
    }
}

const _: () = assert!(MAX_TENSORS == 16, "`between_rows` names each row");

/// What differs between bytes, as a set of bits. A vector, which LLVM does not turn into a jump for each word.
#[derive(Clone, Copy)]
struct Difference(Bits);

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
type Bits = core::arch::wasm32::v128;
#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
type Bits = u128;

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
impl Difference {
    const NONE: Self = Self(core::arch::wasm32::u64x2(0, 0));
    const ALL: Self = Self(core::arch::wasm32::u64x2(u64::MAX, u64::MAX));

    #[inline(always)]
    fn of(a: &[u8; 16], b: &[u8; 16]) -> Self {
        use core::arch::wasm32::{v128_load, v128_xor};
        // SAFETY: both have 16 bytes, and a load may be unaligned.
        Self(unsafe { v128_xor(v128_load(a.as_ptr().cast()), v128_load(b.as_ptr().cast())) })
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(core::arch::wasm32::v128_or(self.0, other.0))
    }

    #[inline(always)]
    fn is_none(self) -> bool {
        !core::arch::wasm32::v128_any_true(self.0)
    }
}

#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
impl Difference {
    const NONE: Self = Self(0);
    const ALL: Self = Self(u128::MAX);

    #[inline(always)]
    fn of(a: &[u8; 16], b: &[u8; 16]) -> Self {
        Self(u128::from_ne_bytes(*a) ^ u128::from_ne_bytes(*b))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline(always)]
    fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// What differs between some multiples of 16 bytes.
#[inline(always)]
fn between<const LEN: usize>(a: &[u8; LEN], b: &[u8; LEN]) -> Difference {
    const { assert!(LEN.is_multiple_of(16)) };
    let parts = a.as_chunks().0.iter().zip(b.as_chunks().0);
    parts.fold(Difference::NONE, |all, (a, b)| all.or(Difference::of(a, b)))
}

/// What differs between descriptors, whose 40 bytes are three times 16 with some in two of them.
#[inline(always)]
fn between_heads(a: &Head, b: &Head) -> Difference {
    let ([first, second], [old_first, old_second]) = (a.as_chunks().0, b.as_chunks().0) else { return Difference::ALL };
    let (Some(last), Some(old_last)) = (a.last_chunk(), b.last_chunk()) else { return Difference::ALL };
    Difference::of(first, old_first).or(Difference::of(second, old_second)).or(Difference::of(last, old_last))
}
