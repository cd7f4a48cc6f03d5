//! A pack as a whole: the bytes of its files, their size, where it runs, and why it is refused.

pub(crate) mod bytes;
pub(crate) mod compat;
pub(crate) mod rejected;
pub(crate) mod size;
