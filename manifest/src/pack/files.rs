//! The files that every pack has.

use crate::SIGNATURE_BYTES;

/// The name of a pack's manifest file.
pub const MANIFEST_FILE: &str = "kernels.json";
/// The name of a pack's signature file.
pub const SIGNATURE_FILE: &str = "kernels.json.sig";
/// The most bytes of a signature file that are read. A signature has 64 bytes; a longer file is read so that the error
/// can give its length.
pub const MAX_SIGNATURE_FILE_BYTES: usize = 4096;

const _: () = assert!(SIGNATURE_BYTES <= MAX_SIGNATURE_FILE_BYTES);
