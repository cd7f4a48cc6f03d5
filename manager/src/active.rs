//! The pointer to the active pack, and the handles that follow it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwapOption;
use kernelpack_runtime::{BadCall, Error, Pack, PackId};

use crate::{
    follow::Followed,
    slot::{Follower, Slot},
};

/// A pack that may be called.
pub(crate) struct Live {
    pub(crate) id: PackId,
    pub(crate) pack: Pack,
}

/// The active pack and its followers.
#[derive(Default)]
pub(crate) struct Active {
    live: ArcSwapOption<Live>,
    followers: Mutex<Followers>,
}

/// Handles that are moved from pack to pack; dropped ones are removed.
type Followers = Vec<Weak<dyn Follower>>;

impl Active {
    pub(crate) fn new(live: Option<Arc<Live>>) -> Self {
        Self { live: ArcSwapOption::new(live), followers: Mutex::default() }
    }

    /// Returns the active pack.
    pub(crate) fn load(&self) -> Option<Arc<Live>> {
        self.live.load_full()
    }

    /// Makes a handle to the target that `resolve` finds in the active pack and, after a swap, in its successors.
    pub(crate) fn follow<H: Send + Sync + 'static>(
        &self,
        resolve: impl Fn(&Pack) -> Result<H, Error> + Send + Sync + 'static,
    ) -> Result<Followed<H>, Error> {
        // While this lock is held, no pack is swapped, so a swap cannot miss the new handle.
        let mut followers = self.followers();
        let live = self.load().ok_or(BadCall::NoActivePack)?;
        let slot = Arc::new(Slot::new(&live.pack, resolve)?);
        followers.retain(|follower| follower.strong_count() > 0);
        // A separate variable lets the `Arc` coerce to the trait object that the list holds.
        let follower: Arc<dyn Follower> = slot.clone();
        followers.push(Arc::downgrade(&follower));
        Ok(Followed::new(slot))
    }

    /// Checks that the targets of all handles exist in this pack and are called in the same way.
    pub(crate) fn check_followers(&self, pack: &Pack) -> Result<(), Error> {
        check(&self.followers(), pack)
    }

    /// Makes a pack active until the result is dropped, or permanently if it is kept. Until then, no new handle can be
    /// made, since it might follow a kernel that the previous pack lacks.
    pub(crate) fn try_out(&self, next: Arc<Live>) -> Result<Trial<'_>, Error> {
        let followers = self.followers();
        check(&followers, &next.pack)?;
        let mut trial = Trial { active: self, followers, before: None, undo: true };
        trial.before = self.live.swap(Some(next.clone()));
        trial.move_followers(&next.pack);
        Ok(trial)
    }

    fn followers(&self) -> MutexGuard<'_, Followers> {
        self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(followers: &Followers, pack: &Pack) -> Result<(), Error> {
    followers.iter().filter_map(Weak::upgrade).try_for_each(|follower| follower.check(pack))
}

/// A pack that is active on trial.
pub(crate) struct Trial<'a> {
    active: &'a Active,
    followers: MutexGuard<'a, Followers>,
    before: Option<Arc<Live>>,
    undo: bool,
}

impl Trial<'_> {
    /// Keeps the pack active, and returns the previous one.
    pub(crate) fn keep(mut self) -> Option<Arc<Live>> {
        self.undo = false;
        self.before.take()
    }

    fn move_followers(&self, pack: &Pack) {
        for follower in self.followers.iter().filter_map(Weak::upgrade) {
            follower.move_to(pack);
        }
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if self.undo {
            let before = self.before.take();
            if let Some(before) = &before {
                self.move_followers(&before.pack);
            }
            self.active.live.store(before);
        }
    }
}
