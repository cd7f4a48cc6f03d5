//! Keeps the exports of one kernel of a crate, under the names of the ABI.

use kernelpack_abi::{KernelSpecBuf, exports};
use walrus::{ExportItem, Module, ValType};

use super::error::PassError;
use crate::raw::{self, export_name};

/// Keeps the exports of this kernel and the shared ones, gives them the ABI's names, and adds the entry point's alias.
///
/// # Errors
/// An export that the spec declares is missing or has the wrong type, or the alias is the name of another export.
pub fn run(module: &mut Module, spec: &KernelSpecBuf) -> Result<(), PassError> {
    let id = &spec.id;
    let mut kept = vec![
        (exports::MEMORY, find(module, exports::MEMORY, Needs::Memory)?),
        (exports::HEAP_BASE, find(module, exports::HEAP_BASE, Needs::Address)?),
        (exports::MESSAGE, find(module, exports::MESSAGE, Needs::Address)?),
    ];
    for function in raw::functions(spec) {
        let name = export_name(function.short, id);
        if function.optional && !module.exports.iter().any(|export| export.name == name) {
            continue;
        }
        let item = find(module, &name, Needs::Function(function.params, function.result))?;
        kept.push((function.name, item));
        if function.name == exports::FORWARD {
            kept.push((&spec.entry_point, item));
        }
    }
    if exports::STANDARD.contains(&spec.entry_point.as_str()) {
        return Err(PassError::EntryPoint { entry_point: spec.entry_point.clone() });
    }

    let all: Vec<_> = module.exports.iter().map(|export| export.id()).collect();
    for export in all {
        module.exports.delete(export);
    }
    for (name, item) in kept {
        module.exports.add(name, item);
    }
    Ok(())
}

/// The required kind of an export.
#[derive(Clone, Copy)]
enum Needs {
    /// A linear memory.
    Memory,
    /// An immutable `i32` global.
    Address,
    /// A function with this many `i32` parameters and this result.
    Function(usize, ValType),
}

fn find(module: &Module, name: &str, needs: Needs) -> Result<ExportItem, PassError> {
    let export = module.exports.iter().find(|export| export.name == name);
    let item = export.ok_or_else(|| PassError::MissingExport { export: name.into() })?.item;
    let fits = match (needs, item) {
        (Needs::Memory, ExportItem::Memory(_)) => true,
        (Needs::Address, ExportItem::Global(id)) => {
            let global = module.globals.get(id);
            global.ty == ValType::I32 && !global.mutable
        }
        (Needs::Function(params, result), ExportItem::Function(id)) => {
            let (has, results) = module.types.params_results(module.funcs.get(id).ty());
            has.len() == params && has.iter().all(|ty| *ty == ValType::I32) && results == [result]
        }
        _ => false,
    };
    if fits {
        Ok(item)
    } else {
        Err(PassError::ExportType { export: name.into(), needs: needs.to_string(), has: describe(module, item) })
    }
}

impl std::fmt::Display for Needs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory => f.write_str("a memory"),
            Self::Address => f.write_str("an immutable global of type i32"),
            Self::Function(params, result) => {
                write!(f, "a function ({}) -> ({result})", vec!["i32"; *params].join(", "))
            }
        }
    }
}

fn describe(module: &Module, item: ExportItem) -> String {
    let list = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match item {
        ExportItem::Function(id) => {
            let (params, results) = module.types.params_results(module.funcs.get(id).ty());
            format!("a function ({}) -> ({})", list(params), list(results))
        }
        ExportItem::Global(id) => {
            let global = module.globals.get(id);
            format!("{} global of type {}", if global.mutable { "a mutable" } else { "an immutable" }, global.ty)
        }
        ExportItem::Memory(_) => "a memory".into(),
        ExportItem::Table(_) => "a table".into(),
        ExportItem::Tag(_) => "a tag".into(),
    }
}
