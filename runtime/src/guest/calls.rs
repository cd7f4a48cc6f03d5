//! The calls of a batch, as long as they are borrowed.

use std::{cell::Cell, ops::Range};

use kernelpack_abi::{Pass, TensorArg, params};

use crate::BadCall;

/// The most tensors that a thread keeps room for.
const MOST_KEPT: usize = 1 << 14;

/// Room for tensors and scalars.
type Room<'a> = (Vec<TensorArg<'a>>, Vec<u8>);

thread_local! {
    /// Room for the thread's next batch, so that one which is not larger than the last asks nothing of the allocator.
    static ROOM: Cell<Room<'static>> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// Calls of one pass, one behind the other: each has as many tensors, and bytes of scalars, as the pass says.
#[derive(Debug)]
pub(crate) struct Calls<'a> {
    tensors: Vec<TensorArg<'a>>,
    scalars: Vec<u8>,
    len: usize,
    /// Tensors of a call.
    rows: usize,
    /// Bytes of a call's scalars.
    scalar_bytes: usize,
}

impl<'a> Calls<'a> {
    /// None of this pass yet, in the room that this thread kept.
    pub(crate) fn of<P: Pass>() -> Self {
        // It is gone where the thread ends.
        let (tensors, scalars) = ROOM.try_with(Cell::take).unwrap_or_default();
        let scalar_bytes = const { params::scalars_size(P::SIGNATURE.params) } as usize;
        Self { tensors, scalars, len: 0, rows: P::SIGNATURE.tensors.len(), scalar_bytes }
    }

    /// Adds a call.
    ///
    /// # Errors
    /// It gives other numbers of tensors or scalars than the signature says, as a stub that was written by hand might.
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

    /// The tensors of a call.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The bytes of a call's scalars.
    pub(crate) fn scalar_bytes(&self) -> usize {
        self.scalar_bytes
    }

    /// The tensors of all calls.
    pub(crate) fn tensors(&self) -> &[TensorArg<'a>] {
        &self.tensors
    }

    /// The same, to be written to.
    pub(crate) fn tensors_mut(&mut self) -> &mut [TensorArg<'a>] {
        &mut self.tensors
    }

    /// The scalars of each call, where there are any.
    pub(crate) fn scalars(&self) -> impl Iterator<Item = &[u8]> {
        self.scalars.chunks_exact(self.scalar_bytes.max(1))
    }

    /// The tensors and scalars of a call.
    pub(crate) fn call(&self, index: usize) -> (&[TensorArg<'a>], &[u8]) {
        let [rows, scalars] = self.ranges(index);
        (self.tensors.get(rows).unwrap_or_default(), self.scalars.get(scalars).unwrap_or_default())
    }

    /// The same, so that tensors can be written to.
    pub(crate) fn call_mut(&mut self, index: usize) -> (&mut [TensorArg<'a>], &[u8]) {
        let [rows, scalars] = self.ranges(index);
        (self.tensors.get_mut(rows).unwrap_or_default(), self.scalars.get(scalars).unwrap_or_default())
    }

    fn ranges(&self, index: usize) -> [Range<usize>; 2] {
        [self.rows, self.scalar_bytes].map(|size| index * size..(index + 1) * size)
    }

    /// Ends the borrow of the calls, and leaves their room to the thread's next batch.
    pub(crate) fn keep_room(self) {
        let Self { mut tensors, mut scalars, .. } = self;
        if tensors.capacity() > MOST_KEPT {
            return;
        }
        tensors.clear();
        scalars.clear();
        // A vector of nothing that becomes one of another lifetime; std keeps its memory, which a test counts.
        #[allow(clippy::unnecessary_filter_map, reason = "a filter would keep the lifetime")]
        let tensors = tensors.into_iter().filter_map(|_| None).collect();
        let _ = ROOM.try_with(|room| room.set((tensors, scalars)));
    }
}
