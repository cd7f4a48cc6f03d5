//! The ways of stopping calls that overrun their budget.

/// The way in which an engine stops calls that overrun their budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Interruption {
    /// A watchdog makes the linear memory of an overdue call inaccessible, so that the kernel traps at its next access;
    /// the kernel's loops contain no checks. Modules that are not shown to access memory often enough are compiled with
    /// [`Epoch`](Self::Epoch) instead. This is the default where the system supports it: Linux on x86-64 and AArch64.
    PageProtection,
    /// Each loop and each function checks a counter, which can make loops of few instructions several times slower.
    /// WAMR checks a flag in the same places, and supports no other way.
    Epoch,
    /// Calls are never stopped, so budgets do not hold. This is for measuring what interruption costs, and for machines
    /// without threads: the other ways need a thread that counts ticks.
    Never,
}

impl Interruption {
    /// The best way that this machine supports.
    pub const BEST: Self = if cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) {
        Self::PageProtection
    } else {
        Self::Epoch
    };
}

impl Default for Interruption {
    fn default() -> Self {
        Self::BEST
    }
}
