//! The keys that a command trusts.

use std::{error::Error, path::PathBuf};

use kernelpack_host::trust::read_trust_store;
use kernelpack_packer::load_public_key;

use crate::{engine_arg::EngineArg, setup::Setup};

/// The options that name trusted keys; one of them is needed.
#[derive(Debug, clap::Args)]
#[group(id = "trusted", required = true, multiple = true)]
pub(crate) struct TrustArgs {
    /// Public key that the pack must be signed by (PEM); repeat it to trust several, any of which will do
    #[arg(long = "trust", value_name = "PATH.pub")]
    keys: Vec<PathBuf>,
    /// The same, trusted for the native code in packs, too, which no sandbox holds
    #[arg(long = "trust-native", value_name = "PATH.pub")]
    native_keys: Vec<PathBuf>,
    /// Trust store that has the key which the pack must be signed by (JSON, as `kernelpack trust` writes it). What it
    /// says of a key holds for those of --trust, too
    #[arg(long, value_name = "FILE")]
    trust_store: Option<PathBuf>,
}

impl TrustArgs {
    /// A runtime with this engine that trusts these keys.
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
