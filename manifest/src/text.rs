//! How the files of this crate write values: JSON, names, paths, digests and times.

pub(crate) mod digest;
pub(crate) mod json;
pub(crate) mod names;
pub(crate) mod timestamp;
