//! Memory that both a sandbox and its host can access.
//!
//! A [`Region`] is the address space of one linear memory; a [`SharedMemory`] holds a host's tensor. Mapping a part of
//! the second into the first makes calls without copies possible.
//!
//! Systems other than Linux have neither: [`SharedMemory::zeros`] fails there, and calls copy.
#![deny(unsafe_code)]

#[cfg(target_os = "linux")]
mod forks;
mod lineage;
#[cfg(target_os = "linux")]
mod mappings;
#[cfg(target_os = "linux")]
mod ranges;
#[cfg(target_os = "linux")]
mod region;
#[cfg(target_os = "linux")]
mod shared;
#[cfg(not(target_os = "linux"))]
#[path = "shared_unsupported.rs"]
mod shared;
#[cfg(target_os = "linux")]
mod slabs;
#[cfg(target_os = "linux")]
mod view;

pub use self::lineage::Lineage;
#[cfg(target_os = "linux")]
pub use self::region::Region;
pub use self::shared::{SharedMemory, SharedPart, escape};

/// The size of a huge page on machines that have them: tensors of at least this size are aligned to it.
pub const HUGE_PAGE: usize = 2 << 20;
