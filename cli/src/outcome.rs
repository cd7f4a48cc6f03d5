//! The result of a subcommand.

use std::error::Error;

/// The result of a subcommand; its error becomes the single error message.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;
