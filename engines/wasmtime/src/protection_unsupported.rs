//! Stands in where pages cannot be protected: Wasmtime makes its own linear memories, and calls are stopped by epochs.

use std::{io, ops::Range};

use kernelpack_memory::SharedPart;
use wasmtime::Config;

/// Does nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Protection {}

/// Does nothing.
#[derive(Debug)]
pub(crate) struct Protected;

impl Protection {
    pub(crate) fn configure(&self, _: &mut Config) {}

    pub(crate) fn tick(&self) {}

    pub(crate) fn protect(&self, _: *const u8, _: bool) -> wasmtime::Result<Protected> {
        Ok(Protected)
    }

    pub(crate) fn count(&self) -> (usize, usize) {
        (0, 0)
    }
}

impl Protected {
    pub(crate) fn arm(&self, _: u32) -> bool {
        false
    }

    pub(crate) fn disarm(&self) -> bool {
        true
    }

    pub(crate) fn close(&self, _: Range<usize>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn map(&self, _: usize, _: &SharedPart, _: bool) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
