//! The keys that a command trusts.

use std::{error::Error, path::PathBuf};

use kernelpack_host::trust::read_trust_store;
use kernelpack_packer::load_public_key;

use crate::{engine_arg::EngineArg, setup::Setup};

/// The options that name trusted keys; at least one is needed.
#[derive(Debug, clap::Args)]
#[group(id = "trusted", required = true, multiple = true)]
pub(crate) struct TrustArgs {
    /// Public key that must have signed the pack (PEM); repeat to trust any of several
    #[arg(long = "trust", value_name = "PATH.pub")]
    keys: Vec<PathBuf>,
    /// Like --trust, but also trust the key for native code in packs, which no sandbox confines
    #[arg(long = "trust-native", value_name = "PATH.pub")]
    native_keys: Vec<PathBuf>,
    /// Trust store that lists the key that must have signed the pack (JSON, as `kernelpack trust` writes it). What it
    /// says about a key also applies to keys given with --trust
    #[arg(long, value_name = "FILE")]
    trust_store: Option<PathBuf>,
}

impl TrustArgs {
    /// Returns a runtime with this engine that trusts these keys.
    ///
    /// # Errors
    /// A file cannot be read or holds something else.
    pub(crate) fn setup(&self, engine: EngineArg) -> Result<Setup, Box<dyn Error>> {
        let mut setup = Setup::new(engine);
        for path in &self.keys {
            let key = load_public_key(path)?;
            setup = setup.with(|builder| builder.trust(key));
        }
        for path in &self.native_keys {
            let key = load_public_key(path)?;
            setup = setup.with(|builder| builder.trust_native(key));
        }
        if let Some(path) = &self.trust_store {
            let store = read_trust_store(path)?;
            setup = setup.with(|builder| builder.trust_store(store));
        }
        Ok(setup)
    }
}
