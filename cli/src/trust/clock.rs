//! The current time, for decisions about trust.

use std::time::SystemTime;

use kernelpack_manifest::Timestamp;

/// Returns the current time by this machine's clock.
pub(super) fn now() -> Result<Timestamp, &'static str> {
    Timestamp::of(SystemTime::now()).ok_or("this machine's clock is wrong; set it")
}
