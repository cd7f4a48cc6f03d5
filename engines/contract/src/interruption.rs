//! How calls are stopped that overrun their budget.

/// How an engine stops calls that overrun their budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Interruption {
    /// A watchdog makes the linear memory of an overdue call inaccessible, so that the kernel traps at its next access;
    /// there is no check in the kernel's loops. What the host cannot see to access memory often enough is compiled with
    /// [`Epoch`](Self::Epoch) instead. The choice unless told otherwise, where the system can do it: Linux on x86-64 and
    /// AArch64.
    PageProtection,
    /// Each loop and each function checks a counter, as the specification says: loops of few instructions take up to
    /// several times as long. WAMR checks a flag in the same places, and knows no other way.
    Epoch,
    /// Calls are never stopped: budgets do not hold. For finding out what stopping costs, and where no thread can be had:
    /// the other ways need one that counts.
    Never,
}

impl Interruption {
    /// The best that this machine can do.
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
