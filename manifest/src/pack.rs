//! Packs as a whole: the bytes of their files, their size, their compatibility, and why they are refused.

pub(crate) mod bytes;
pub(crate) mod compat;
pub(crate) mod rejected;
pub(crate) mod size;
