//! Our own linear memories for Wasmtime's instances.
#![allow(unsafe_code, reason = "Wasmtime trusts whoever makes its memories; the reasons stand at the implementations")]

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use kernelpack_memory::Region;
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// Makes the memories of all engines of a runtime, and finds the region of each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memories(Arc<Mutex<HashMap<usize, Weak<Region>>>>);

/// A region that implements Wasmtime's `LinearMemory`.
struct Linear {
    region: Arc<Region>,
    capacity: usize,
    memories: Memories,
}

impl Memories {
    /// Returns the region whose linear memory starts at this address.
    pub(crate) fn region(&self, base: *const u8) -> Option<Arc<Region>> {
        self.lock().get(&base.addr())?.upgrade()
    }

    /// Returns the number of memories.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Weak<Region>>> {
        // The map is never left half-updated.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// SAFETY: a region has all the address space that Wasmtime asks for, including the guard after it, all of it initially
// zero and inaccessible beyond the size. It never moves. Only `WasmtimeInstance`, between calls, and the watchdog
// change the memory. The watchdog makes it inaccessible while the guest runs; the guest sees that as a trap, as at the
// end of its memory.
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let capacity = reserved.unwrap_or(1 << 32);
        let make = || {
            let region = Region::reserve(capacity.checked_add(guard).ok_or(io::ErrorKind::OutOfMemory)?)?;
            region.grow_to(minimum)?;
            Ok(Arc::new(region))
        };
        let region: Arc<Region> =
            make().map_err(|error: io::Error| format!("cannot reserve address space for a linear memory: {error}"))?;
        self.lock().insert(region.base().as_ptr().addr(), Arc::downgrade(&region));
        Ok(Box::new(Linear { region, capacity, memories: self.clone() }))
    }
}

// SAFETY: bytes below the size are accessible, at an address that does not change; a region that the watchdog stopped
// or that tensors are mapped into has bytes that are not, and accesses by guests trap there. The capacity never exceeds
// the reservation, since Wasmtime grows a memory to 4 GiB at most.
unsafe impl LinearMemory for Linear {
    fn byte_size(&self) -> usize {
        self.region.size()
    }

    fn byte_capacity(&self) -> usize {
        self.capacity
    }

    fn grow_to(&mut self, size: usize) -> wasmtime::Result<()> {
        Ok(self.region.grow_to(size)?)
    }

    fn as_ptr(&self) -> *mut u8 {
        self.region.base().as_ptr()
    }
}

impl Drop for Linear {
    fn drop(&mut self) {
        self.memories.lock().remove(&self.region.base().as_ptr().addr());
    }
}
