//! How a subcommand ends.

use std::error::Error;

/// What a subcommand returns; its error becomes the one message.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;
