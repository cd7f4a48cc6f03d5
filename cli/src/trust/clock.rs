//! The time that trust is judged by.

use std::time::SystemTime;

use kernelpack_manifest::Timestamp;

/// The time now, by this machine's clock.
pub(super) fn now() -> Result<Timestamp, &'static str> {
    Timestamp::of(SystemTime::now()).ok_or("this machine's clock is wrong; set it")
}
