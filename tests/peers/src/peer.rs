//! The interface of a peer: something that normalizes a row, set up beforehand and called repeatedly.

use std::{error::Error, hint::black_box};

/// A failure of any peer.
pub(crate) type Failure = Box<dyn Error>;

/// The kind of a peer, which plots show as a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// A direct call of the function.
    Native,
    /// A way to call Kernelpack.
    Kernelpack,
    /// Another project's sandbox.
    Peer,
    /// A way to call that is not for production, but shows where the time goes.
    Orientation,
}

/// One way to normalize a row. Instances are warm, and everything that is not needed for each call is done beforehand.
pub(crate) trait Peer {
    const NAME: &'static str;
    const SIDE: Side;
    /// The number of rows that one call normalizes.
    const ROWS: u32 = 1;

    /// Normalizes the row. The answer stays where this way of calling puts it, readable as a slice of floats.
    ///
    /// # Errors
    /// The peer's error.
    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure>;
}

/// The object-safe interface of a peer. `run` contains the loop, so that the timed code has no dynamic dispatch.
pub(crate) trait AnyPeer {
    fn name(&self) -> &'static str;
    fn side(&self) -> Side;

    /// Normalizes the row at least this often, and returns how often.
    ///
    /// # Errors
    /// The peer's error.
    fn run(&mut self, rows: u32) -> Result<u32, Failure>;

    /// Normalizes the row once and copies the answer.
    ///
    /// # Errors
    /// The peer's error.
    fn answer(&mut self) -> Result<Vec<f32>, Failure>;
}

impl<P: Peer> AnyPeer for P {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn side(&self) -> Side {
        P::SIDE
    }

    fn run(&mut self, rows: u32) -> Result<u32, Failure> {
        let calls = rows.div_ceil(P::ROWS);
        for _ in 0..calls {
            black_box(self.call()?.as_ref());
        }
        Ok(calls * P::ROWS)
    }

    fn answer(&mut self) -> Result<Vec<f32>, Failure> {
        Ok(self.call()?.as_ref().to_vec())
    }
}
