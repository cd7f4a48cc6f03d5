//! Sets the declared memory limit as the memory's own maximum, so that every engine enforces it.

use kernelpack_abi::ResourceLimits;
use walrus::Module;

use super::error::PassError;

/// The number of pages that 32-bit addresses can reach.
const MOST_PAGES: u32 = 65_536;

/// Sets the maximum of the one memory to `max_memory_pages`, regardless of the linker's value, since the host relies on
/// the declared limit when it places a call's tensors.
///
/// # Errors
/// There is not exactly one plain 32-bit memory, or its initial size is above the limit.
pub fn run(module: &mut Module, limits: &ResourceLimits) -> Result<(), PassError> {
    let limit = limits.max_memory_pages;
    if limit > MOST_PAGES {
        return Err(PassError::MemoryLimit { limit, most: MOST_PAGES });
    }
    let count = module.memories.iter().count();
    let Some(memory) = module.memories.iter_mut().next().filter(|_| count == 1) else {
        return Err(PassError::Memories { count });
    };
    let what = if memory.memory64 {
        Some("64-bit")
    } else if memory.shared {
        Some("shared")
    } else {
        memory.page_size_log2.map(|_| "made of custom-size pages")
    };
    if let Some(what) = what {
        return Err(PassError::MemoryKind { what });
    }
    if memory.initial > u64::from(limit) {
        return Err(PassError::MemoryTooLarge { initial: memory.initial, limit });
    }
    memory.maximum = Some(limit.into());
    Ok(())
}
