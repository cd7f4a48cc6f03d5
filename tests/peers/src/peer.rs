//! What takes part: something that normalizes a row, set up beforehand and called again and again.

use std::{error::Error, hint::black_box};

/// A failure of whichever peer.
pub(crate) type Failure = Box<dyn Error>;

/// Which side a peer is on; plots colour it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// The function itself.
    Native,
    /// A way to call Kernelpack.
    Kernelpack,
    /// Somebody else's sandbox.
    Peer,
    /// What nobody would ship, to see where the time goes.
    Orientation,
}

/// One way to normalize a row. Instances are warm, and everything that need not be done for each call has been done.
pub(crate) trait Peer {
    const NAME: &'static str;
    const SIDE: Side;
    /// Rows that one call normalizes.
    const ROWS: u32 = 1;

    /// Normalizes the row. The answer is where this way of calling leaves it, readable as a slice of floats.
    ///
    /// # Errors
    /// The peer's.
    fn call(&mut self) -> Result<impl AsRef<[f32]>, Failure>;
}

/// Any peer. The loop is within, so that what is timed pays no dispatch.
pub(crate) trait AnyPeer {
    fn name(&self) -> &'static str;
    fn side(&self) -> Side;

    /// Normalizes the row at least so often, and says how often.
    ///
    /// # Errors
    /// The peer's.
    fn run(&mut self, rows: u32) -> Result<u32, Failure>;

    /// Normalizes the row once and copies the answer.
    ///
    /// # Errors
    /// The peer's.
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
