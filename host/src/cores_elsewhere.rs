//! Threads to divide calls over, where no engine maps tensors: none.

use std::{convert::Infallible, num::NonZeroUsize};

use crate::guest::{Failure, Guest};

/// Threads that help the one that calls.
#[derive(Debug)]
pub(crate) enum Cores {}

impl Cores {
    /// None, however many are asked for: no call could be divided.
    pub(crate) fn new(_: NonZeroUsize) -> Result<Option<Self>, Infallible> {
        Ok(None)
    }

    pub(crate) fn count(&self) -> usize {
        match *self {}
    }

    pub(crate) fn run(
        &self,
        _: &mut [Box<Guest>],
        _: impl Fn(&mut Guest) -> Result<(), Failure> + Sync,
    ) -> Result<(), Failure> {
        match *self {}
    }
}
