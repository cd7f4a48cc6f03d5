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
