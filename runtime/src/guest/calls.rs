//! The tensors and scalars that a batch's calls borrow.

use std::{cell::Cell, ops::Range};

use kernelpack_abi::{Pass, TensorArg, params};

use crate::BadCall;

/// The largest number of tensors that a thread keeps room for.
const MOST_KEPT: usize = 1 << 14;

/// Buffers for tensors and scalars.
type Room<'a> = (Vec<TensorArg<'a>>, Vec<u8>);

thread_local! {
    /// Room for the thread's next batch, so that a batch that is not larger than the last one allocates nothing.
    static ROOM: Cell<Room<'static>> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// Calls of one pass, one after the other. Each has as many tensors and bytes of scalars as the signature of the pass.
#[derive(Debug)]
pub(crate) struct Calls<'a> {
    tensors: Vec<TensorArg<'a>>,
    scalars: Vec<u8>,
    len: usize,
    /// The number of tensors per call.
    rows: usize,
    /// The bytes of scalars per call.
    scalar_bytes: usize,
}

impl<'a> Calls<'a> {
    /// Makes an empty batch of this pass, with the room that this thread kept.
    pub(crate) fn of<P: Pass>() -> Self {
        // While the thread ends, the thread-local buffers no longer exist.
        let (tensors, scalars) = ROOM.try_with(Cell::take).unwrap_or_default();
        let scalar_bytes = const { params::scalars_size(P::SIGNATURE.params) } as usize;
        Self { tensors, scalars, len: 0, rows: P::SIGNATURE.tensors.len(), scalar_bytes }
    }

    /// Adds a call.
    ///
    /// # Errors
    /// The numbers of tensors or scalars differ from the signature, as they might in a handwritten stub.
    #[inline]
    pub(crate) fn push<P: Pass>(&mut self, args: P::Args<'a>) -> Result<(), BadCall> {
        P::give(args, |row| self.tensors.push(row), |scalars| self.scalars.extend_from_slice(scalars));
        self.len += 1;
        if self.tensors.len() == self.len * self.rows && self.scalars.len() == self.len * self.scalar_bytes {
            return Ok(());
        }
        Err(BadCall::Shape {
            message: format!(
                "the stub does not give the {} tensors and {} bytes of scalars of its signature",
                self.rows, self.scalar_bytes
            ),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the number of tensors per call.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of bytes of scalars per call.
    pub(crate) fn scalar_bytes(&self) -> usize {
        self.scalar_bytes
    }

    /// Returns the tensors of all calls.
    pub(crate) fn tensors(&self) -> &[TensorArg<'a>] {
        &self.tensors
    }

    /// Returns the tensors of all calls, mutable so that results can be written.
    pub(crate) fn tensors_mut(&mut self) -> &mut [TensorArg<'a>] {
        &mut self.tensors
    }

    /// Returns the scalars of each call; empty if calls have none.
    pub(crate) fn scalars(&self) -> impl Iterator<Item = &[u8]> {
        self.scalars.chunks_exact(self.scalar_bytes.max(1))
    }

    /// Returns the tensors and scalars of a call.
    pub(crate) fn call(&self, index: usize) -> (&[TensorArg<'a>], &[u8]) {
        let [rows, scalars] = self.ranges(index);
        (self.tensors.get(rows).unwrap_or_default(), self.scalars.get(scalars).unwrap_or_default())
    }

    /// Like [`call`](Self::call), but the tensors can be written to.
    pub(crate) fn call_mut(&mut self, index: usize) -> (&mut [TensorArg<'a>], &[u8]) {
        let [rows, scalars] = self.ranges(index);
        (self.tensors.get_mut(rows).unwrap_or_default(), self.scalars.get(scalars).unwrap_or_default())
    }

    fn ranges(&self, index: usize) -> [Range<usize>; 2] {
        [self.rows, self.scalar_bytes].map(|size| index * size..(index + 1) * size)
    }

    /// Ends the borrow of the calls and keeps their room for the thread's next batch.
    pub(crate) fn keep_room(self) {
        let Self { mut tensors, mut scalars, .. } = self;
        if tensors.capacity() > MOST_KEPT {
            return;
        }
        tensors.clear();
        scalars.clear();
        // Turns an empty vector into one of another lifetime; std reuses its memory, as a test that counts allocations
        // checks.
        #[allow(clippy::unnecessary_filter_map, reason = "a filter would keep the lifetime")]
        let tensors = tensors.into_iter().filter_map(|_| None).collect();
        let _ = ROOM.try_with(|room| room.set((tensors, scalars)));
    }
}
