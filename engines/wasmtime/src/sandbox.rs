//! The parameters of an instance.

use std::sync::Arc;

use crate::{form::Form, protection::Protection};

/// The parameters that instances of a module need besides its code.
pub(crate) struct Sandbox {
    pub(crate) form: Arc<Form>,
    pub(crate) protection: Protection,
}
