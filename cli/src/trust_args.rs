//! The keys that a command trusts.

use std::{error::Error, path::PathBuf};

use kernelpack_host::{RuntimeBuilder, read_trust_store};
use kernelpack_packer::load_public_key;

use crate::engine_arg::EngineArg;

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
    /// The beginning of a runtime with Wasmtime that trusts these keys.
    ///
    /// # Errors
    /// A file cannot be read or holds something else.
    pub(crate) fn builder(&self) -> Result<RuntimeBuilder, Box<dyn Error>> {
        self.builder_for(EngineArg::Wasmtime)
    }

    /// The same with this engine.
    ///
    /// # Errors
    /// As [`builder`](Self::builder).
    pub(crate) fn builder_for(&self, engine: EngineArg) -> Result<RuntimeBuilder, Box<dyn Error>> {
        let mut builder = engine.builder();
        for path in &self.keys {
            builder = builder.trust(load_public_key(path)?);
        }
        for path in &self.native_keys {
            builder = builder.trust_native(load_public_key(path)?);
        }
        if let Some(path) = &self.trust_store {
            builder = builder.trust_store(read_trust_store(path)?);
        }
        Ok(builder)
    }
}
