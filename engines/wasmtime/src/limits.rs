//! Resource limits of a kernel's instance, checked whenever something is made or grows.

use kernelpack_abi::ResourceLimits;
use kernelpack_engine::PAGE;
use wasmtime::{ResourceLimiter, Result};

/// One instance's limits. The elements of all tables are counted together, since a module may have many tables.
#[derive(Debug)]
pub(crate) struct Limits {
    memory_bytes: usize,
    table_elements: usize,
    /// The elements granted to all tables. A growth that then fails for lack of memory stays counted, which only makes
    /// the limit stricter.
    elements: usize,
}

impl Limits {
    pub(crate) fn new(limits: ResourceLimits) -> Self {
        Self {
            memory_bytes: limits.max_memory_pages as usize * PAGE as usize,
            table_elements: limits.max_table_elements as usize,
            elements: 0,
        }
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        Ok(desired <= self.memory_bytes && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current));
        let granted = elements <= self.table_elements && maximum.is_none_or(|maximum| desired <= maximum);
        if granted {
            self.elements = elements;
        }
        Ok(granted)
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }
}

#[cfg(test)]
mod tests;
