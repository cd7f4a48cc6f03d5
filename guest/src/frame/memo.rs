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

/// Words of a descriptor.
const HEAD: usize = KernelDescriptor::SIZE as usize / size_of::<u32>();

/// A row of the tensor table.
type Row = [u64; ENTRY_SIZE as usize / size_of::<u64>()];

/// What the last accepted call had in its descriptor, its header and its tensor table.
#[derive(Debug)]
pub struct Memo {
    /// Whose signature it was accepted for; none before the first.
    signed: Option<TypeId>,
    descriptor: u32,
    head: [u32; HEAD],
    header: [u64; 2],
    rows: [Row; MAX_TENSORS],
    scalars_size: usize,
}

impl Memo {
    /// Remembers nothing yet.
    pub const fn new() -> Self {
        Self { signed: None, descriptor: 0, head: [0; HEAD], header: [0; 2], rows: [[0; 6]; MAX_TENSORS], scalars_size: 0 }
    }

    /// The table and the scalars of a call that is the remembered one but for values.
    ///
    /// # Safety
    /// As [`Frame::open`](super::Frame::open); the memory is the one that the memo has always been used with.
    #[inline(always)]
    pub(super) unsafe fn recall<'a, S: Signed>(&self, memory: LinearMemory, descriptor: u32) -> Option<Params<'a>> {
        if self.signed != Some(TypeId::of::<S>()) || self.descriptor != descriptor {
            return None;
        }
        // SAFETY: a descriptor was found here, inside the bounds and aligned, and the bounds have not become narrower.
        let head = unsafe { &*memory.at(descriptor).cast_const().cast::<[u32; HEAD]>() };
        let [a, b, c, d, e, f, g, h, params_offset, j] = *head;
        let old = &self.head;
        let inputs = ((a ^ old[0]) | (b ^ old[1])) | ((c ^ old[2]) | (d ^ old[3]));
        let others = ((e ^ old[4]) | (f ^ old[5])) | ((g ^ old[6]) | (h ^ old[7]));
        if inputs | others | ((params_offset ^ old[8]) | (j ^ old[9])) != 0 {
            return None;
        }
        let count = const { S::SIGNATURE.tensors.len() };
        // SAFETY: at this very offset, which is the remembered one, a block with so many rows was found inside the
        // bounds, at a multiple of 16 bytes.
        let (header, rows) = unsafe {
            let rows = memory.at(params_offset + HEADER_SIZE).cast_const().cast::<Row>();
            (&*memory.at(params_offset).cast_const().cast::<[u64; 2]>(), slice::from_raw_parts(rows, count))
        };
        let header = (header[0] ^ self.header[0]) | (header[1] ^ self.header[1]);
        // One function for each row, and no loop: LLVM would keep it as one.
        if header != 0 || !every_row::<S>(rows, &self.rows) {
            return None;
        }
        // SAFETY: the header, which is the remembered one, was accepted with this size of the scalars behind the table.
        unsafe {
            let entries = memory.at(params_offset + HEADER_SIZE).cast_const().cast::<TensorEntry>();
            let scalars = entries.add(count).cast::<u8>();
            Some(Params {
                entries: slice::from_raw_parts(entries, count),
                scalars: slice::from_raw_parts(scalars, self.scalars_size),
            })
        }
    }

    /// Remembers a call that was accepted.
    #[inline]
    pub(super) fn remember<S: Signed>(&mut self, descriptor: u32, parts: &Parts<'_>) {
        let (header, rows) = parts.block.split_at(HEADER_SIZE as usize);
        for (to, word) in self.header.iter_mut().zip(header.as_chunks().0) {
            *to = u64::from_ne_bytes(*word);
        }
        for (row, bytes) in self.rows.iter_mut().zip(rows.as_chunks::<{ ENTRY_SIZE as usize }>().0) {
            for (to, word) in row.iter_mut().zip(bytes.as_chunks().0) {
                *to = u64::from_ne_bytes(*word);
            }
        }
        self.head = *parts.head.words();
        self.scalars_size = parts.params.scalars.len();
        self.descriptor = descriptor;
        self.signed = Some(TypeId::of::<S>());
    }
}

/// What differs between rows of six words.
#[inline(always)]
fn difference(a: &[u64; 6], b: &[u64; 6]) -> u64 {
    ((a[0] ^ b[0]) | (a[1] ^ b[1])) | ((a[2] ^ b[2]) | (a[3] ^ b[3])) | ((a[4] ^ b[4]) | (a[5] ^ b[5]))
}

/// Whether the rows that a signature declares are the same.
#[inline(always)]
fn every_row<S: Signed>(rows: &[Row], old: &[Row; MAX_TENSORS]) -> bool {
    let row = |index: usize| match rows.get(index) {
        Some(row) if const { S::SIGNATURE.tensors.len() } > index => difference(row, &old[index]),
        _ => 0,
    };
    let first = (row(0) | row(1)) | (row(2) | row(3));
    let second = (row(4) | row(5)) | (row(6) | row(7));
    let third = (row(8) | row(9)) | (row(10) | row(11));
    let last = (row(12) | row(13)) | (row(14) | row(15));
    first | second | third | last == 0
}

const _: () = assert!(MAX_TENSORS == 16, "`every_row` names each row");
