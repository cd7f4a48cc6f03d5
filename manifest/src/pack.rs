//! Packs as a whole: the names, bytes and size of their files, their compatibility, and why they are refused.

pub(crate) mod bytes;
pub(crate) mod compat;
pub(crate) mod files;
pub(crate) mod path;
pub(crate) mod rejected;
pub(crate) mod size;
