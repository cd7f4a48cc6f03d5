//! Removes everything that neither runs nor describes the kernel, which would vary between machines and tools.
//!
//! The names of functions stay, which take a few percent of the bytes, since a host's report of a trap would mean
//! little without them. They are demangled, without the hashes of crates and compilers.

use kernelpack_abi::section;
use walrus::Module;

use super::error::PassError;

/// Removes the `producers`, `target_features` and debug sections, every other custom section except the kernel's spec,
/// and all names except those of functions.
///
/// # Errors
/// None at present.
pub fn run(module: &mut Module) -> Result<(), PassError> {
    let foreign: Vec<_> =
        module.customs.iter().filter(|(_, custom)| custom.name() != section::NAME).map(|(id, _)| id).collect();
    for id in foreign {
        module.customs.delete(id);
    }
    module.producers.clear();
    module.debug = Default::default();

    module.name = None;
    for func in module.funcs.iter_mut() {
        func.name = func.name.take().map(|name| format!("{:#}", rustc_demangle::demangle(&name)));
    }
    module.memories.iter_mut().for_each(|memory| memory.name = None);
    module.tables.iter_mut().for_each(|table| table.name = None);
    let types: Vec<_> = module.types.iter().map(|ty| ty.id()).collect();
    types.into_iter().for_each(|id| module.types.get_mut(id).name = None);
    let globals: Vec<_> = module.globals.iter().map(|global| global.id()).collect();
    globals.into_iter().for_each(|id| module.globals.get_mut(id).name = None);
    let locals: Vec<_> = module.locals.iter().map(|local| local.id()).collect();
    locals.into_iter().for_each(|id| module.locals.get_mut(id).name = None);
    let data: Vec<_> = module.data.iter().map(|data| data.id()).collect();
    data.into_iter().for_each(|id| module.data.get_mut(id).name = None);
    module.elements.iter_mut().for_each(|elements| elements.name = None);
    Ok(())
}
