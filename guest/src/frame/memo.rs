//! Remembers the last accepted call, so that an equal call need not be checked again, and only the offsets are checked
//! of a call that differs in nothing else.
//!
//! Hosts lay out a call once and make it many times with the same bits in descriptor, header and tensor table, and
//! comparing these takes a fraction of the time of checking them. An accepted call stays valid, since linear memory
//! never shrinks and the module's own data never grow. The memo contains the size of the scalars, but not the scalars.
//!
//! Calls of a [batch](Series) are remembered as well, as many as fit. They often differ only in offsets: if a call is
//! not remembered but has the types, roles and shapes of the last accepted call, only its offsets are checked.

use core::any::TypeId;

use kernelpack_abi::{
    KernelDescriptor, MAX_TENSORS,
    params::{ENTRY_SIZE, HEADER_SIZE, Params},
};

use super::{
    known::{Known, between_forms, between_rows},
    memory::LinearMemory,
    parts::{Head, Header, Parts, Row},
    quick::Signed,
    series::Series,
};

/// The descriptor, the header and the tensor table of the last accepted call.
#[derive(Debug)]
pub struct Memo {
    /// The pass whose signature it was accepted for; `None` before the first call.
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
    /// Makes an empty memo.
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

    /// Sets which call of a batch is opened next; `None` ends the batch.
    #[inline(always)]
    pub fn set_turn(&mut self, turn: Option<u32>) {
        self.series.set_turn(turn);
    }

    /// Returns the table and the scalars of a call, if it differs from the remembered one only in values.
    ///
    /// # Safety
    /// As for [`Frame::open`](super::Frame::open).
    #[inline(always)]
    pub(super) unsafe fn recall<'a, S: Signed>(&self, memory: LinearMemory, descriptor: u32) -> Option<Params<'a>> {
        if self.signed != Some(TypeId::of::<S>()) || self.descriptor != descriptor {
            return None;
        }
        let known = Known { descriptor, params: self.params, head: &self.head, header: &self.header, rows: &self.rows };
        // SAFETY: the caller guarantees this for the memory, in which this call was accepted.
        unsafe { known.recall::<S>(memory) }
    }

    /// Returns whether a call's table differs from the remembered one only in offsets.
    #[inline(always)]
    pub(super) fn has_form<S: Signed>(&self, parts: &Parts<'_>) -> bool {
        let Some((_, rows)) = parts.block.split_first_chunk::<{ HEADER_SIZE as usize }>() else { return false };
        self.signed == Some(TypeId::of::<S>())
            && parts.params.entries.len() == const { S::SIGNATURE.tensors.len() }
            && between_rows::<S>(rows.as_chunks().0, &self.rows, between_forms).is_none()
    }

    /// Returns whether the remembered call has this descriptor, so that another call of the same form replaces it.
    /// Calls of a batch have other descriptors, which exist only during the batch.
    #[inline(always)]
    pub(super) fn is_at(&self, descriptor: u32) -> bool {
        self.descriptor == descriptor
    }

    /// Remembers an accepted call.
    #[inline]
    pub(super) fn remember<S: Signed>(&mut self, descriptor: u32, parts: &Parts<'_>) {
        if parts.write(&mut self.head, &mut self.header, &mut self.rows) {
            self.descriptor = descriptor;
            self.params = parts.head.params_offset;
            self.signed = Some(TypeId::of::<S>());
        }
    }
}
