//! The target of a handle in the active pack, and how it is found in another pack.

use std::sync::Arc;

use arc_swap::ArcSwap;
use kernelpack_runtime::{Error, Pack};

type Resolve<H> = Box<dyn Fn(&Pack) -> Result<H, Error> + Send + Sync>;

/// The target of a handle, and how to find it in another pack.
pub(crate) struct Slot<H> {
    pub(crate) current: ArcSwap<H>,
    resolve: Resolve<H>,
}

impl<H> Slot<H> {
    pub(crate) fn new(
        pack: &Pack,
        resolve: impl Fn(&Pack) -> Result<H, Error> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        Ok(Self { current: ArcSwap::from_pointee(resolve(pack)?), resolve: Box::new(resolve) })
    }
}

/// A handle with any type of target.
pub(crate) trait Follower: Send + Sync {
    /// Checks that this pack has the handle's target.
    fn check(&self, pack: &Pack) -> Result<(), Error>;
    /// Points the handle to this pack, which has passed the check.
    fn move_to(&self, pack: &Pack);
}

impl<H: Send + Sync> Follower for Slot<H> {
    fn check(&self, pack: &Pack) -> Result<(), Error> {
        (self.resolve)(pack).map(|_| ())
    }

    fn move_to(&self, pack: &Pack) {
        // The pack has passed the check, whose result depends only on the pack, so this cannot fail.
        if let Ok(next) = (self.resolve)(pack) {
            self.current.store(Arc::new(next));
        }
    }
}
