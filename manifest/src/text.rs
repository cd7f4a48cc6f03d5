//! The textual forms of values in this crate's files: JSON, names, paths, digests and times.

pub(crate) mod digest;
pub(crate) mod json;
pub(crate) mod names;
pub(crate) mod timestamp;
