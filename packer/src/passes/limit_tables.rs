//! Applies the declared table limit to the tables' own maxima.

use kernelpack_abi::ResourceLimits;
use walrus::Module;

use super::error::PassError;

/// Lowers the maxima of the tables so that together they stay within `max_table_elements`.
///
/// The first table may grow by what the initial sizes leave; the others keep their initial size. A maximum that is
/// already lower, as linkers write it, stays.
///
/// # Errors
/// The initial sizes together are above the limit.
pub fn run(module: &mut Module, limits: &ResourceLimits) -> Result<(), PassError> {
    let limit = limits.max_table_elements;
    let initial = module.tables.iter().fold(0u64, |sum, table| sum.saturating_add(table.initial));
    let Some(mut spare) = u64::from(limit).checked_sub(initial) else {
        return Err(PassError::TablesTooLarge { initial, limit });
    };
    for table in module.tables.iter_mut() {
        let most = table.initial + std::mem::take(&mut spare);
        table.maximum = Some(table.maximum.map_or(most, |maximum| maximum.min(most)));
    }
    Ok(())
}
