//! Packs in the form that an engine runs.

use std::{path::Path, sync::OnceLock};

use kernelpack_host::Pack;

use super::Engine;
use crate::pack::{self, Copy};

impl Engine {
    /// Returns whether tests can run on this engine: native code needs a [compiler](pack::compiler). Where there is
    /// none, the reason is printed on standard error.
    pub fn is_there(self) -> bool {
        self != Self::WamrAot || pack::compiler().is_some()
    }

    /// Returns a pack in the form that this engine runs: with native code if it runs nothing else, signed again with
    /// [`key`](pack::key).
    ///
    /// # Panics
    /// The compiler rejects a kernel.
    #[must_use]
    pub fn ready(self, pack: Copy) -> Copy {
        if self == Self::WamrAot {
            assert!(pack::add_native(pack.path()), "there is no compiler");
        }
        pack
    }

    /// Returns the folder of a pack in the form that this engine runs, made once per process.
    ///
    /// # Panics
    /// The compiler rejects a kernel.
    pub fn folder(self, pack: &'static Path) -> &'static Path {
        if self == Self::WamrAot { pack::with_native(pack) } else { pack }
    }

    /// Returns the folder of the core pack.
    pub fn core(self) -> &'static Path {
        self.folder(pack::core())
    }

    /// Returns the folder of the pack of a crate in `tests/fixtures`.
    pub fn fixture(self, name: &'static str) -> &'static Path {
        self.folder(pack::fixture(name))
    }

    /// Returns the core pack, opened once per process.
    ///
    /// # Panics
    /// The pack is refused.
    pub fn core_pack(self) -> &'static Pack {
        static PACKS: [OnceLock<Pack>; 3] = [const { OnceLock::new() }; 3];
        let open = || self.runtime().open(self.core()).expect("the core pack is for every engine");
        PACKS[self as usize].get_or_init(open)
    }
}
