//! Memory that a sandbox and its host can both reach.
//!
//! A [`Region`] is the address space of one linear memory; a [`SharedMemory`] is what a host's tensor lives in. Mapping
//! a part of the second into the first is what makes a call without copies.
//!
//! Other systems than Linux have neither: [`SharedMemory::zeros`] fails there, and calls copy.
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

/// Bytes of a huge page on the machines that have them: tensors at least this large start at a multiple of it.
pub const HUGE_PAGE: usize = 2 << 20;
