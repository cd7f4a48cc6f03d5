//! Where memory cannot be shared with a sandbox: calls copy.

use std::{io, ptr::NonNull, sync::Arc};

/// Cannot be made.
#[derive(Debug)]
pub enum SharedMemory {}

/// Cannot be found.
#[derive(Clone, Debug)]
pub enum SharedPart {}

impl SharedMemory {
    pub fn zeros(_: usize) -> io::Result<Arc<Self>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn address(&self) -> NonNull<u8> {
        match *self {}
    }
}

impl SharedPart {
    pub fn of(_: *const [u8]) -> Option<Self> {
        None
    }

    pub fn mapped_len(&self) -> usize {
        match *self {}
    }

    pub fn address(&self) -> usize {
        match *self {}
    }
}

pub fn escape(_: *const [u8]) {}
