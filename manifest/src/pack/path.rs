//! Paths inside a pack.

use crate::Rejected;

/// Checks that a path stays inside the pack on every system.
///
/// A path has at most 255 bytes. Its components consist of ASCII letters, digits, `_`, `.` and `-`, are separated by
/// `/`, and do not end with `.`.
///
/// # Errors
/// [`Rejected::UnsafePath`].
pub fn check_path(path: &str) -> Result<(), Rejected> {
    if kernelpack_verify::is_path(path) { Ok(()) } else { Err(Rejected::UnsafePath { path: path.to_owned() }) }
}

#[cfg(test)]
mod tests;
