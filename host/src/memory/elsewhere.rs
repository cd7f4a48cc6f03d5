//! Where memory cannot be shared with a sandbox: calls copy.

use std::{io, ptr::NonNull, sync::Arc};

/// Cannot be made.
#[derive(Debug)]
pub(crate) enum SharedMemory {}

/// Cannot be found.
#[derive(Clone, Debug)]
pub(crate) enum SharedPart {}

impl SharedMemory {
    pub(crate) fn zeros(_: usize) -> io::Result<Arc<Self>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn address(&self) -> NonNull<u8> {
        match *self {}
    }
}

impl SharedPart {
    pub(crate) fn of(_: *const [u8]) -> Option<Self> {
        None
    }

    pub(crate) fn mapped_len(&self) -> usize {
        match *self {}
    }

    pub(crate) fn address(&self) -> usize {
        match *self {}
    }
}

pub(crate) fn escape(_: *const [u8]) {}
