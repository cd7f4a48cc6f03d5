//! Compares a call with a remembered one.

use core::{mem::offset_of, slice};

use kernelpack_abi::{
    MAX_TENSORS,
    params::{HEADER_SIZE, Params, ParamsHeader, TensorEntry},
};

use super::{
    memory::LinearMemory,
    parts::{Head, Header, Row},
    quick::Signed,
};

/// The remembered parts of an accepted call, and its location.
pub(super) struct Known<'m> {
    pub(super) descriptor: u32,
    pub(super) params: u32,
    pub(super) head: &'m Head,
    pub(super) header: &'m Header,
    /// At least as many rows as the signature has tensors.
    pub(super) rows: &'m [Row],
}

impl Known<'_> {
    /// Returns the table and the scalars of the call that is there now, if it differs only in values.
    ///
    /// # Safety
    /// As for [`Frame::open`](super::Frame::open), and this call was accepted for this signature in this memory.
    #[inline(always)]
    pub(super) unsafe fn recall<'a, S: Signed>(&self, memory: LinearMemory) -> Option<Params<'a>> {
        let count = const { S::SIGNATURE.tensors.len() };
        // SAFETY: at these offsets, a descriptor and a block with this many rows were found inside the bounds, and the
        // bounds have not become narrower. Any bytes are valid bytes.
        let (head, header, rows) = unsafe {
            let head = &*memory.at(self.descriptor).cast_const().cast::<Head>();
            let header = &*memory.at(self.params).cast_const().cast::<Header>();
            let rows = memory.at(self.params + HEADER_SIZE).cast_const().cast::<Row>();
            (head, header, slice::from_raw_parts(rows, count))
        };
        // The descriptor gives the position of the block: if it is the same, the block is where it was.
        let difference = between_heads(head, self.head)
            .or(between(header, self.header))
            .or(between_rows::<S>(rows, self.rows, between));
        if !difference.is_none() {
            return None;
        }
        let scalars_size = header.last_chunk().map_or(0, |size| u32::from_le_bytes(*size));
        // SAFETY: the header equals the remembered one, which was accepted with this many rows, at a multiple of 16
        // bytes, and with scalars of this size after them.
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

/// Returns the difference between the rows of a call and remembered ones, up to the number of rows in the signature.
/// The rows are not compared in a loop, since LLVM would not unroll it.
#[inline(always)]
pub(super) fn between_rows<S: Signed>(
    rows: &[Row],
    known: &[Row],
    between: impl Fn(&Row, &Row) -> Difference,
) -> Difference {
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

/// The difference between bytes, as a set of bits. It is a SIMD vector, so that LLVM does not generate a branch for
/// each word.
#[derive(Clone, Copy)]
pub(super) struct Difference(Bits);

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
    pub(super) fn is_none(self) -> bool {
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
    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// Returns the difference between arrays whose size is a multiple of 16 bytes.
#[inline(always)]
fn between<const LEN: usize>(a: &[u8; LEN], b: &[u8; LEN]) -> Difference {
    const { assert!(LEN.is_multiple_of(16)) };
    let parts = a.as_chunks().0.iter().zip(b.as_chunks().0);
    parts.fold(Difference::NONE, |all, (a, b)| all.or(Difference::of(a, b)))
}

/// Returns the difference between rows, except for their offsets, which are the first four bytes.
#[inline(always)]
pub(super) fn between_forms(a: &Row, b: &Row) -> Difference {
    const { assert!(offset_of!(TensorEntry, offset) == 0) };
    let ([first, rest @ ..], [old_first, old_rest @ ..]) = (a.as_chunks().0, b.as_chunks().0) else {
        return Difference::ALL;
    };
    let rest = rest.iter().zip(old_rest).map(|(a, b)| Difference::of(a, b));
    rest.fold(Difference::of(first, old_first).without_first_word(), Difference::or)
}

/// Returns the difference between descriptors, whose 40 bytes are compared as three overlapping vectors of 16.
#[inline(always)]
fn between_heads(a: &Head, b: &Head) -> Difference {
    let ([first, second], [old_first, old_second]) = (a.as_chunks().0, b.as_chunks().0) else { return Difference::ALL };
    let (Some(last), Some(old_last)) = (a.last_chunk(), b.last_chunk()) else { return Difference::ALL };
    Difference::of(first, old_first).or(Difference::of(second, old_second)).or(Difference::of(last, old_last))
}
