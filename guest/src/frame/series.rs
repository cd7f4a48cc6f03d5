//! The calls of the last batch that were accepted, by their turns.
//!
//! Each takes as many rows of 48 bytes as its table has and two more, so that there is room for 16 calls with up to eight
//! tensors, or for 34 with three. Calls beyond that are judged each time.

use core::{any::TypeId, mem::offset_of};

use kernelpack_abi::{KernelDescriptor, params::Params};

use super::{
    known::Known,
    memory::LinearMemory,
    parts::{Parts, Row},
    quick::Signed,
};

/// Whether calls of batches are remembered: not in modules without SIMD, which are for devices that have no memory to
/// spare for that, and for the code that it takes.
pub(super) const REMEMBERS: bool = cfg!(not(all(target_family = "wasm", not(target_feature = "simd128"))));
/// The rows of all calls, 8160 bytes.
const ROOM: usize = if REMEMBERS { 170 } else { 0 };
/// The rows before those of the table: one with the descriptor and its address, one with the header.
const LEAD: usize = 2;

/// What accepted calls of batches had in their descriptors, headers and tensor tables.
#[derive(Debug)]
pub(super) struct Series {
    /// Whose turn it is; none while no batch runs.
    turn: Option<u32>,
    /// Whose signature they were accepted for; none before the first.
    signed: Option<TypeId>,
    /// The calls that are remembered.
    len: u32,
    rows: [Row; ROOM],
}

impl Series {
    /// Remembers nothing yet.
    pub(super) const fn new() -> Self {
        Self { turn: None, signed: None, len: 0, rows: [[0; size_of::<Row>()]; ROOM] }
    }

    /// Says which call of a batch is next, or that the batch is over.
    #[inline(always)]
    pub(super) fn set_turn(&mut self, turn: Option<u32>) {
        self.turn = turn;
    }

    /// The table and the scalars of a call that is the one remembered for this turn but for values.
    ///
    /// # Safety
    /// As [`Frame::open`](super::Frame::open).
    #[inline(always)]
    pub(super) unsafe fn recall<'a, S: Signed>(&self, memory: LinearMemory, descriptor: u32) -> Option<Params<'a>> {
        let turn = self.turn.filter(|turn| *turn < self.len)? as usize;
        if self.signed != Some(TypeId::of::<S>()) {
            return None;
        }
        let rows = self.rows.get(turn * stride::<S>()..)?.get(..stride::<S>())?;
        let ([lead, header], rows) = rows.split_first_chunk::<LEAD>()?;
        let (head, at) = lead.split_first_chunk()?;
        if u32::from_ne_bytes(*at.first_chunk()?) != descriptor {
            return None;
        }
        let params = head.get(offset_of!(KernelDescriptor, params_offset)..)?;
        let params = u32::from_le_bytes(*params.first_chunk()?);
        let known = Known { descriptor, params, head, header: header.first_chunk()?, rows };
        // SAFETY: the caller vouches for the memory, where this very call was accepted.
        unsafe { known.recall::<S>(memory) }
    }

    /// Remembers a call that was accepted for this turn, if there is one and room.
    #[inline]
    pub(super) fn remember<S: Signed>(&mut self, descriptor: u32, parts: &Parts<'_>) {
        let Some(turn) = self.turn else { return };
        if self.signed != Some(TypeId::of::<S>()) {
            (self.signed, self.len) = (Some(TypeId::of::<S>()), 0);
        }
        // One behind the other, so that nothing is recalled that was never written.
        if turn > self.len {
            return;
        }
        let start = turn as usize * stride::<S>();
        let rows = self.rows.get_mut(start..).and_then(|rows| rows.get_mut(..stride::<S>()));
        let Some(([lead, header], rows)) = rows.and_then(|rows| rows.split_first_chunk_mut::<LEAD>()) else { return };
        let (Some((head, at)), Some(header)) = (lead.split_first_chunk_mut(), header.first_chunk_mut()) else { return };
        let Some(at) = at.first_chunk_mut() else { return };
        if parts.write(head, header, rows) {
            *at = descriptor.to_ne_bytes();
            self.len = self.len.max(turn + 1);
        }
    }
}

/// The rows that a call takes.
const fn stride<S: Signed>() -> usize {
    LEAD + S::SIGNATURE.tensors.len()
}
