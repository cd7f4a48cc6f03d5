//! The accepted calls of the last batch, by their position in it.
//!
//! Each call takes as many rows of 48 bytes as its table has, and two more, so that there is room for 16 calls with up
//! to eight tensors, or for 34 with three. Calls beyond that are checked each time.

use core::{any::TypeId, mem::offset_of};

use kernelpack_abi::{KernelDescriptor, params::Params};

use super::{
    known::Known,
    memory::LinearMemory,
    parts::{Parts, Row},
    quick::Signed,
};

/// Whether calls of batches are remembered. Modules without SIMD do not remember them, since devices without SIMD have
/// no memory to spare for the remembered calls and the additional code.
pub(super) const REMEMBERS: bool = cfg!(not(all(target_family = "wasm", not(target_feature = "simd128"))));
/// The rows of all calls, 8160 bytes.
const ROOM: usize = if REMEMBERS { 170 } else { 0 };
/// The rows before those of the table: one with the descriptor and its address, one with the header.
const LEAD: usize = 2;

/// The descriptors, headers and tensor tables of accepted calls in batches.
#[derive(Debug)]
pub(super) struct Series {
    /// The position of the next call; `None` while no batch runs.
    turn: Option<u32>,
    /// The pass for whose signature the calls were accepted; `None` before the first call.
    signed: Option<TypeId>,
    /// The number of calls that are remembered.
    len: u32,
    rows: [Row; ROOM],
}

impl Series {
    /// Makes an empty series.
    pub(super) const fn new() -> Self {
        Self { turn: None, signed: None, len: 0, rows: [[0; size_of::<Row>()]; ROOM] }
    }

    /// Sets which call of a batch is next; `None` ends the batch.
    #[inline(always)]
    pub(super) fn set_turn(&mut self, turn: Option<u32>) {
        self.turn = turn;
    }

    /// Returns the table and the scalars of a call, if it differs only in values from the one remembered at this
    /// position.
    ///
    /// # Safety
    /// As for [`Frame::open`](super::Frame::open).
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
        // SAFETY: the caller guarantees this for the memory, in which this call was accepted.
        unsafe { known.recall::<S>(memory) }
    }

    /// Remembers an accepted call at this position, if a batch runs and there is room.
    #[inline]
    pub(super) fn remember<S: Signed>(&mut self, descriptor: u32, parts: &Parts<'_>) {
        let Some(turn) = self.turn else { return };
        if self.signed != Some(TypeId::of::<S>()) {
            (self.signed, self.len) = (Some(TypeId::of::<S>()), 0);
        }
        // There must be no gaps, so that only rows that were written are recalled.
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

/// Returns the number of rows that a call takes.
const fn stride<S: Signed>() -> usize {
    LEAD + S::SIGNATURE.tensors.len()
}
