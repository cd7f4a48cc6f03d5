//! The last call that was accepted, so that one which says the same need not be checked again, and one that differs in
//! offsets only is checked for these.
//!
//! Hosts lay calls out once and make them many times: descriptor, header and tensor table are then the same to the bit,
//! and comparing them takes a fraction of judging them. What was accepted stays acceptable, since linear memory never
//! shrinks and the module's own data never grow. The scalars are not part of it; only how many bytes they have.
//!
//! Calls of a [batch](Series) are remembered as well, as far as there is room. They are often alike but for where they
//! lie: where one of them is not remembered but has types, roles and shapes of the last call accepted, it is only judged
//! where its tensors lie.

use core::{any::TypeId, mem::offset_of, slice};

use kernelpack_abi::{
    KernelDescriptor, MAX_TENSORS,
    params::{ENTRY_SIZE, HEADER_SIZE, Params, ParamsHeader, TensorEntry},
};

use super::{LinearMemory, Parts, Signed, series::Series};

/// The bytes of a descriptor.
pub(super) type Head = [u8; KernelDescriptor::SIZE as usize];
/// The bytes of a block's header.
pub(super) type Header = [u8; HEADER_SIZE as usize];
/// The bytes of a row of the tensor table.
pub(super) type Row = [u8; ENTRY_SIZE as usize];

/// What the last accepted call had in its descriptor, its header and its tensor table.
#[derive(Debug)]
pub struct Memo {
    /// Whose signature it was accepted for; none before the first.
    signed: Option<TypeId>,
    descriptor: u32,
    params: u32,
    head: Head,
    header: Header,
    rows: [Row; MAX_TENSORS],
    /// The calls of a batch.
    pub(super) series: Series,
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
            head: [0; KernelDescriptor::SIZE as usize],
            header: [0; HEADER_SIZE as usize],
            rows: [[0; ENTRY_SIZE as usize]; MAX_TENSORS],
            series: Series::new(),
        }
    }

    /// Says which call of a batch is opened next, or that the batch is over.
    #[inline(always)]
    pub fn set_turn(&mut self, turn: Option<u32>) {
        self.series.set_turn(turn);
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
        let known = Known { descriptor, params: self.params, head: &self.head, header: &self.header, rows: &self.rows };
        // SAFETY: the caller vouches for the memory, where this very call was accepted.
        unsafe { known.recall::<S>(memory) }
    }

    /// Whether a call's table is the remembered one but for offsets.
    #[inline(always)]
    pub(super) fn has_form<S: Signed>(&self, parts: &Parts<'_>) -> bool {
        let Some((_, rows)) = parts.block.split_first_chunk::<{ HEADER_SIZE as usize }>() else { return false };
        self.signed == Some(TypeId::of::<S>())
            && parts.params.entries.len() == const { S::SIGNATURE.tensors.len() }
            && between_rows::<S>(rows.as_chunks().0, &self.rows, between_forms).is_none()
    }

    /// Whether a call that has the remembered one's form is to take its place: it lies there. That of a batch comes
    /// and goes with the others of its batch.
    #[inline(always)]
    pub(super) fn is_at(&self, descriptor: u32) -> bool {
        self.descriptor == descriptor
    }

    /// Remembers a call that was accepted.
    #[inline]
    pub(super) fn remember<S: Signed>(&mut self, descriptor: u32, parts: &Parts<'_>) {
        if parts.write(&mut self.head, &mut self.header, &mut self.rows) {
            self.descriptor = descriptor;
            self.params = parts.head.params_offset;
            self.signed = Some(TypeId::of::<S>());
        }
    }
}

impl Parts<'_> {
    /// Writes what is remembered of a call; false, with nothing written, if there is no room.
    #[inline(always)]
    pub(super) fn write(&self, head: &mut Head, header: &mut Header, rows: &mut [Row]) -> bool {
        let Some((from, table)) = self.block.split_first_chunk() else { return false };
        let count = self.params.entries.len();
        let (Some(table), Some(rows)) = (table.as_chunks().0.get(..count), rows.get_mut(..count)) else { return false };
        for (to, row) in rows.iter_mut().zip(table) {
            *to = *row;
        }
        for (to, word) in head.as_chunks_mut().0.iter_mut().zip(self.head.words()) {
            *to = word.to_ne_bytes();
        }
        *header = *from;
        true
    }
}

/// What is remembered of an accepted call, and where it lay.
pub(super) struct Known<'m> {
    pub(super) descriptor: u32,
    pub(super) params: u32,
    pub(super) head: &'m Head,
    pub(super) header: &'m Header,
    /// As many as the signature has tensors, or more.
    pub(super) rows: &'m [Row],
}

impl Known<'_> {
    /// The table and the scalars of the call that lies there now, if it is the same but for values.
    ///
    /// # Safety
    /// As [`Frame::open`](super::Frame::open); and this call was accepted for this signature in this memory.
    #[inline(always)]
    pub(super) unsafe fn recall<'a, S: Signed>(&self, memory: LinearMemory) -> Option<Params<'a>> {
        let count = const { S::SIGNATURE.tensors.len() };
        // SAFETY: at these very offsets a descriptor and a block with so many rows were found inside the bounds, and the
        // bounds have not become narrower. Any bytes are bytes.
        let (head, header, rows) = unsafe {
            let head = &*memory.at(self.descriptor).cast_const().cast::<Head>();
            let header = &*memory.at(self.params).cast_const().cast::<Header>();
            let rows = memory.at(self.params + HEADER_SIZE).cast_const().cast::<Row>();
            (head, header, slice::from_raw_parts(rows, count))
        };
        // The descriptor names the block: if it is the same, the block is where it was.
        let difference = between_heads(head, self.head)
            .or(between(header, self.header))
            .or(between_rows::<S>(rows, self.rows, between));
        if !difference.is_none() {
            return None;
        }
        let scalars_size = header.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
        // SAFETY: the header, which is the remembered one, was accepted with so many rows, at a multiple of 16 bytes, and
        // with this size of the scalars behind them.
        unsafe {
            let entries = rows.as_ptr().cast::<TensorEntry>();
            let scalars = entries.add(count).cast::<u8>();
            Some(Params {
                entries: slice::from_raw_parts(entries, count),
                scalars: slice::from_raw_parts(scalars, scalars_size as usize),
            })
        }
    }
}

/// What differs between the rows that a signature declares and those remembered. No loop: LLVM would keep it as one.
#[inline(always)]
fn between_rows<S: Signed>(rows: &[Row], known: &[Row], between: impl Fn(&Row, &Row) -> Difference) -> Difference {
    let row = |index: usize| match (rows.get(index), known.get(index)) {
        _ if index >= const { S::SIGNATURE.tensors.len() } => Difference::NONE,
        (Some(row), Some(known)) => between(row, known),
        _ => Difference::ALL,
    };
    let first = (row(0).or(row(1))).or(row(2).or(row(3)));
    let second = (row(4).or(row(5))).or(row(6).or(row(7)));
    let third = (row(8).or(row(9))).or(row(10).or(row(11)));
    let last = (row(12).or(row(13))).or(row(14).or(row(15)));
    (first.or(second)).or(third.or(last))
}

const _: () = {
    assert!(MAX_TENSORS == 16, "`between_rows` names each row");
    assert!(offset_of!(ParamsHeader, scalars_size) + 4 == HEADER_SIZE as usize, "`recall` reads the last word");
};

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
    fn without_first_word(self) -> Self {
        Self(core::arch::wasm32::u32x4_replace_lane::<0>(self.0, 0))
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
    fn without_first_word(self) -> Self {
        const REST: u128 =
            u128::from_ne_bytes([0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
        Self(self.0 & REST)
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

/// What differs between rows but for their offsets, which are the first four bytes.
#[inline(always)]
fn between_forms(a: &Row, b: &Row) -> Difference {
    const { assert!(offset_of!(TensorEntry, offset) == 0) };
    let ([first, rest @ ..], [old_first, old_rest @ ..]) = (a.as_chunks().0, b.as_chunks().0) else {
        return Difference::ALL;
    };
    let rest = rest.iter().zip(old_rest).map(|(a, b)| Difference::of(a, b));
    rest.fold(Difference::of(first, old_first).without_first_word(), Difference::or)
}

/// What differs between descriptors, whose 40 bytes are three times 16 with some in two of them.
#[inline(always)]
fn between_heads(a: &Head, b: &Head) -> Difference {
    let ([first, second], [old_first, old_second]) = (a.as_chunks().0, b.as_chunks().0) else { return Difference::ALL };
    let (Some(last), Some(old_last)) = (a.last_chunk(), b.last_chunk()) else { return Difference::ALL };
    Difference::of(first, old_first).or(Difference::of(second, old_second)).or(Difference::of(last, old_last))
}
