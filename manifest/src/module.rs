//! Checks that a module matches its manifest entry, before any engine sees it.
//!
//! A module that passes imports nothing, exports exactly what the ABI requires, keeps to its declared limits, and
//! describes itself exactly as the manifest does. The packer checks its own output in the same way.

pub(crate) mod code;
pub(crate) mod fault;
pub(crate) mod features;

use std::collections::BTreeSet;

use kernelpack_abi::{ABI_VERSION, KernelSpecBuf, MESSAGE_CAPACITY, exports, section};
use wasmparser::{
    ConstExpr, ElementItems, Error, Export, ExternalKind, MemoryType, Operator, Parser, Payload, ValType,
    types::TypesRef,
};

use self::code::Code;
use crate::{ModuleFault, ModuleRef, Rejected, first_difference};

/// The facts that the check found about a module.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModuleFacts {
    /// The end of the module's own data and stack; the host places nothing below it.
    pub heap_base: u32,
    /// The address of the message buffer.
    pub message: u32,
    /// Pages of memory that the module starts with.
    pub initial_pages: u32,
    /// Pages that the memory may grow to.
    pub max_pages: u32,
    /// Elements that all tables start with, together.
    pub table_elements: u32,
    /// The crate that the module claims to be from, `name version`.
    pub writer: String,
    /// Bytes of code, at most [`MAX_CODE_BYTES`](crate::MAX_CODE_BYTES).
    pub code_bytes: usize,
    /// Whether the module exports `kernel_forward_batch`; modules from older packers do not.
    pub forward_batch: bool,
    /// The features in [`FEATURES`](crate::FEATURES) that the module requires.
    pub required_features: BTreeSet<&'static str>,
}

/// Checks that a module is the kernel that the spec describes.
///
/// # Errors
/// [`Rejected::Module`] with the first fault.
pub fn check(bytes: &[u8], spec: &KernelSpecBuf) -> Result<ModuleFacts, Rejected> {
    find_fault(bytes, spec).map_err(|fault| Rejected::Module { kernel: spec.id.clone(), fault })
}

impl ModuleRef<'_> {
    /// Checks that these bytes are a module of the kernel that the spec describes, whatever their digest.
    ///
    /// A module for a single engine may use only the features that its platform lists, since no other engine would
    /// notice one that is missing from the list.
    ///
    /// # Errors
    /// [`Rejected::Module`], or [`Rejected::Variant`] for the module of a single engine, with the first fault.
    pub fn check(&self, bytes: &[u8], spec: &KernelSpecBuf) -> Result<ModuleFacts, Rejected> {
        let Some((engine, platform)) = self.platform else { return check(bytes, spec) };
        find_fault(bytes, spec)
            .and_then(|facts| {
                let listed = |feature: &&&str| platform.features.iter().any(|listed| listed == **feature);
                match facts.required_features.iter().find(|feature| !listed(feature)) {
                    None => Ok(facts),
                    Some(feature) => Err(ModuleFault::UnlistedFeature { engine: engine.to_owned(), feature }),
                }
            })
            .map_err(|fault| Rejected::Variant { kernel: spec.id.clone(), path: self.path.to_owned(), fault })
    }
}

fn find_fault(bytes: &[u8], spec: &KernelSpecBuf) -> Result<ModuleFacts, ModuleFault> {
    check_preamble(bytes)?;
    let outline = Outline::read(bytes).map_err(invalid)?;
    let section = outline.section()?;
    outline.check_closed()?;
    // Checked before validation, which also refuses some of these memories, but with a less helpful message.
    let memory = outline.check_memory(spec)?;
    let table_elements = outline.check_tables(spec)?;
    outline.code.check()?;

    let (types, required_features) = features::validate(bytes).map_err(invalid)?;
    outline.check_exports(spec, types.as_ref())?;
    let [version, heap_base, message] =
        [exports::ABI_VERSION, exports::HEAP_BASE, exports::MESSAGE].map(|name| outline.constant(name));
    let (version, heap_base, message) = (version?, heap_base?, message?);
    if version != ABI_VERSION {
        return Err(ModuleFault::AbiVersion { found: version });
    }
    if u64::from(heap_base) > memory.initial << 16 {
        return Err(ModuleFault::HeapBase { heap_base, memory: memory.initial << 16 });
    }
    // The buffer is a u32 length and the text.
    let end_of_message = u64::from(message) + 4 + MESSAGE_CAPACITY as u64;
    if message % 4 != 0 || end_of_message > u64::from(heap_base) {
        return Err(ModuleFault::MessageBuffer { message, heap_base });
    }

    let mut entries = section::decode(section).map_err(ModuleFault::BadSection)?;
    let found = match (entries.pop(), entries.len()) {
        (Some(entry), 0) => entry,
        (last, others) => return Err(ModuleFault::ManyEntries { count: others + usize::from(last.is_some()) }),
    };
    if let Some(difference) = first_difference(&found.spec, spec) {
        return Err(ModuleFault::Disagrees { difference });
    }
    Ok(ModuleFacts {
        heap_base,
        message,
        // The cast is lossless: the value is at most `max_memory_pages`, which is a `u32`.
        initial_pages: memory.initial as u32,
        max_pages: memory.maximum.unwrap_or(memory.initial) as u32,
        table_elements,
        writer: found.writer,
        code_bytes: outline.code.bytes,
        forward_batch: outline.export(exports::FORWARD_BATCH).is_some(),
        required_features,
    })
}

fn check_preamble(bytes: &[u8]) -> Result<(), ModuleFault> {
    if !Parser::is_core_wasm(bytes) {
        return Err(if Parser::is_component(bytes) { ModuleFault::Component } else { ModuleFault::NotWasm });
    }
    Ok(())
}

fn invalid(error: Error) -> ModuleFault {
    ModuleFault::Invalid { offset: error.offset(), message: error.message().to_owned() }
}

/// The parts of a module that are checked. They are reliable only after the module is validated.
#[derive(Default)]
struct Outline<'a> {
    import: Option<(&'a str, &'a str)>,
    start: bool,
    memories: Vec<MemoryType>,
    table_elements: u64,
    globals: Vec<ConstExpr<'a>>,
    exports: Vec<Export<'a>>,
    sections: Vec<&'a [u8]>,
    code: Code,
}

impl<'a> Outline<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let (mut outline, mut function) = (Self::default(), 0);
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        outline.import.get_or_insert((import.module, import.name));
                    }
                }
                Payload::TypeSection(types) => {
                    for group in types {
                        group?.types().for_each(|ty| outline.code.add_type(ty));
                    }
                }
                Payload::FunctionSection(functions) => {
                    for ty in functions {
                        outline.code.declare(ty?);
                    }
                }
                Payload::ElementSection(segments) => {
                    for segment in segments {
                        let elements = match segment?.items {
                            ElementItems::Functions(functions) => functions.count(),
                            ElementItems::Expressions(_, expressions) => expressions.count(),
                        };
                        outline.code.add_segments(1, u64::from(elements));
                    }
                }
                Payload::DataSection(segments) => outline.code.add_segments(segments.count(), 0),
                Payload::StartSection { .. } => outline.start = true,
                Payload::MemorySection(memories) => {
                    outline.memories.extend(memories.into_iter().collect::<Result<Vec<_>, _>>()?);
                }
                Payload::TableSection(tables) => {
                    for table in tables {
                        outline.table_elements = outline.table_elements.saturating_add(table?.ty.initial);
                    }
                }
                Payload::GlobalSection(globals) => {
                    outline.code.add_definitions(globals.count());
                    for global in globals {
                        outline.globals.push(global?.init_expr);
                    }
                }
                Payload::ExportSection(exports) => {
                    outline.code.add_definitions(exports.count());
                    outline.exports.extend(exports.into_iter().collect::<Result<Vec<_>, _>>()?);
                }
                Payload::CodeSectionStart { count, range, .. } => outline.code.start(count, &range),
                Payload::CodeSectionEntry(body) => {
                    outline.code.add(function, &body)?;
                    function += 1;
                }
                Payload::CustomSection(custom) if custom.name() == section::NAME => {
                    outline.sections.push(custom.data());
                }
                _ => {}
            }
        }
        Ok(outline)
    }

    fn export(&self, name: &str) -> Option<&Export<'a>> {
        self.exports.iter().find(|export| export.name == name)
    }

    fn section(&self) -> Result<&'a [u8], ModuleFault> {
        match self.sections[..] {
            [section] => Ok(section),
            [] if self.export(exports::ABI_VERSION).is_some() => Err(ModuleFault::Stripped),
            [] => Err(ModuleFault::NotAKernel),
            _ => Err(ModuleFault::ManySections { count: self.sections.len() }),
        }
    }

    fn check_closed(&self) -> Result<(), ModuleFault> {
        if let Some((module, name)) = self.import {
            return Err(ModuleFault::Import { module: module.to_owned(), name: name.to_owned() });
        }
        if self.start { Err(ModuleFault::Start) } else { Ok(()) }
    }

    fn check_memory(&self, spec: &KernelSpecBuf) -> Result<MemoryType, ModuleFault> {
        let [memory] = self.memories[..] else {
            return Err(ModuleFault::MemoryCount { count: self.memories.len() });
        };
        let kind = match memory {
            MemoryType { memory64: true, .. } => Some("64-bit"),
            MemoryType { shared: true, .. } => Some("shared"),
            MemoryType { page_size_log2: Some(_), .. } => Some("made of custom pages"),
            _ => None,
        };
        if let Some(kind) = kind {
            return Err(ModuleFault::MemoryKind { kind });
        }
        let limit = spec.limits.max_memory_pages;
        let maximum = memory.maximum.ok_or(ModuleFault::MemoryUnbounded { limit })?;
        if maximum > u64::from(limit) {
            return Err(ModuleFault::MemoryTooLarge { maximum, limit });
        }
        if memory.initial > maximum {
            return Err(ModuleFault::MemoryCrossed { initial: memory.initial, maximum });
        }
        Ok(memory)
    }

    fn check_tables(&self, spec: &KernelSpecBuf) -> Result<u32, ModuleFault> {
        let (elements, limit) = (self.table_elements, spec.limits.max_table_elements);
        u32::try_from(elements)
            .ok()
            .filter(|&elements| elements <= limit)
            .ok_or(ModuleFault::TableTooLarge { elements, limit })
    }

    fn check_exports(&self, spec: &KernelSpecBuf, types: TypesRef<'_>) -> Result<(), ModuleFault> {
        let expected = expected_exports(spec);
        for (name, expected) in &expected {
            let Some(export) = self.export(name) else {
                if *name == exports::FORWARD_BATCH {
                    continue;
                }
                return Err(ModuleFault::MissingExport { name: (*name).to_owned(), expected: expected.describe() });
            };
            let actual = describe_export(export, types);
            if actual != expected.describe() {
                return Err(ModuleFault::WrongExport {
                    name: (*name).to_owned(),
                    expected: expected.describe(),
                    actual,
                });
            }
        }
        let known = |export: &&Export<'_>| expected.iter().any(|(name, _)| *name == export.name);
        if let Some(extra) = self.exports.iter().find(|export| !known(export)) {
            return Err(ModuleFault::ExtraExport { name: extra.name.to_owned() });
        }
        let function = |name: &str| self.export(name).map(|export| export.index);
        if function(&spec.entry_point) != function(exports::FORWARD) {
            return Err(ModuleFault::NotAnAlias { name: spec.entry_point.clone() });
        }
        Ok(())
    }

    /// Returns the value of an exported global, which `check_exports` has found to be an immutable `i32`.
    fn constant(&self, name: &'static str) -> Result<u32, ModuleFault> {
        // There are no imports, so a global's index is its position in the section.
        let global = self.export(name).and_then(|export| self.globals.get(export.index as usize));
        let mut operators = global.ok_or(ModuleFault::NotConstant { name })?.get_operators_reader();
        match (operators.read(), operators.read()) {
            (Ok(Operator::I32Const { value }), Ok(Operator::End)) => Ok(value as u32),
            _ => Err(ModuleFault::NotConstant { name }),
        }
    }
}

/// The required kind of an export.
enum Expected {
    Memory,
    Number,
    Function(&'static [ValType], ValType),
}

impl Expected {
    fn describe(&self) -> String {
        match self {
            Self::Memory => "a memory".to_owned(),
            Self::Number => describe_global(ValType::I32, false),
            Self::Function(params, result) => describe_function(params, &[*result]),
        }
    }
}

/// Returns everything that a module may export. It must export all of it except `kernel_forward_batch`.
fn expected_exports(spec: &KernelSpecBuf) -> Vec<(&str, Expected)> {
    const POINTER: Expected = Expected::Function(&[ValType::I32], ValType::I32);
    let mut expected = vec![
        (exports::MEMORY, Expected::Memory),
        (exports::ABI_VERSION, Expected::Number),
        (exports::HEAP_BASE, Expected::Number),
        (exports::MESSAGE, Expected::Number),
        (exports::FORWARD, POINTER),
        (spec.entry_point.as_str(), POINTER),
        (exports::INFO, POINTER),
        (exports::FORWARD_BATCH, Expected::Function(&[ValType::I32, ValType::I32], ValType::I64)),
    ];
    if spec.lifecycle.init {
        expected.push((exports::INIT, Expected::Function(&[ValType::I32, ValType::I32], ValType::I32)));
    }
    if spec.backward.is_some() {
        expected.push((exports::BACKWARD, POINTER));
    }
    if spec.lifecycle.cleanup {
        expected.push((exports::CLEANUP, Expected::Function(&[], ValType::I32)));
    }
    expected
}

fn describe_export(export: &Export<'_>, types: TypesRef<'_>) -> String {
    match export.kind {
        ExternalKind::Func | ExternalKind::FuncExact => {
            let ty = types[types.core_function_at(export.index)].unwrap_func();
            describe_function(ty.params(), ty.results())
        }
        ExternalKind::Global => {
            let ty = types.global_at(export.index);
            describe_global(ty.content_type, ty.mutable)
        }
        ExternalKind::Memory => Expected::Memory.describe(),
        ExternalKind::Table => "a table".to_owned(),
        ExternalKind::Tag => "a tag".to_owned(),
    }
}

fn describe_function(params: &[ValType], results: &[ValType]) -> String {
    let list = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    format!("a function ({}) -> ({})", list(params), list(results))
}

fn describe_global(ty: ValType, mutable: bool) -> String {
    format!("{} {ty} global", if mutable { "a mutable" } else { "an immutable" })
}

#[cfg(test)]
mod tests;
