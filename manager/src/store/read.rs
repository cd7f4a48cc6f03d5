//! Reads a state in any format that a store has written.

use kernelpack_manifest::{Digest, check_distinct_keys};
use kernelpack_runtime::PackId;
use serde::Deserialize;

use super::{
    former,
    state::{FORMAT, StoreState},
};

impl StoreState {
    /// Reads a state; `content` looks up the content of an installed pack, for the former format.
    pub(super) fn parse(json: &[u8], content: impl Fn(&PackId) -> Option<Digest>) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        check_distinct_keys(json).map_err(|fault| fault.to_string())?;
        let head: Head = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        match head.format {
            FORMAT => serde_json::from_slice(json).map_err(|error| error.to_string()),
            former::FORMAT => former::read(json, content),
            other => Err(format!("it has the format {other}, this build reads {} and {FORMAT}", former::FORMAT)),
        }
    }
}
