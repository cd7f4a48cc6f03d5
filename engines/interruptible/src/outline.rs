//! Reads the parts of a module that the rewriting needs before it reads code.

use std::ops::Range;

use wasmparser::{BlockType, CompositeInnerType, FunctionBody, Parser, Payload, ValType};

use super::Reason;

/// The size of a page of linear memory in bytes.
const PAGE: u64 = 1 << 16;

/// A section of the module.
pub(super) struct Section {
    pub(super) id: u8,
    /// Its content, without id and size.
    pub(super) range: Range<usize>,
}

/// Parameters and results of a function type.
pub(super) struct Signature {
    params: Box<[ValType]>,
    results: Box<[ValType]>,
}

/// The parts of a module that the rewriting relies on.
pub(super) struct Outline<'a> {
    pub(super) sections: Vec<Section>,
    pub(super) types: Vec<Signature>,
    /// The type of each function; there are no imports, so this list is complete.
    pub(super) functions: Vec<u32>,
    pub(super) bodies: Vec<FunctionBody<'a>>,
    /// The initial size of linear memory in bytes.
    pub(super) memory: u64,
    /// The module's only mutable global, if it has exactly one and that is an `i32`: the stack pointer.
    pub(super) stack: Option<u32>,
}

impl<'a> Outline<'a> {
    pub(super) fn read(wasm: &'a [u8]) -> Result<Self, Reason> {
        let mut outline = Self {
            sections: Vec::new(),
            types: Vec::new(),
            functions: Vec::new(),
            bodies: Vec::new(),
            memory: 0,
            stack: None,
        };
        let mut memories = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.map_err(Reason::unreadable)?;
            if let Some((id, range)) = payload.as_section() {
                outline.sections.push(Section { id, range });
            }
            match payload {
                Payload::TypeSection(types) => {
                    for group in types {
                        outline.add_types(group.map_err(Reason::unreadable)?)?;
                    }
                }
                Payload::ImportSection(imports) if imports.count() > 0 => {
                    return Err(Reason::Unsupported { what: "imports" });
                }
                Payload::StartSection { .. } => return Err(Reason::Unsupported { what: "a start function" }),
                Payload::TagSection(tags) if tags.count() > 0 => {
                    return Err(Reason::Unsupported { what: "exceptions" });
                }
                Payload::FunctionSection(functions) => {
                    for function in functions {
                        outline.functions.push(function.map_err(Reason::unreadable)?);
                    }
                }
                Payload::MemorySection(found) => {
                    for memory in found {
                        let memory = memory.map_err(Reason::unreadable)?;
                        memories += 1;
                        if memory.memory64 || memory.shared || memory.page_size_log2.is_some() {
                            return Err(Reason::Unsupported { what: "a memory of another kind" });
                        }
                        outline.memory = memory.initial.saturating_mul(PAGE);
                    }
                }
                Payload::GlobalSection(globals) => {
                    let mut variables = Vec::new();
                    for (index, global) in globals.into_iter().enumerate() {
                        let ty = global.map_err(Reason::unreadable)?.ty;
                        if ty.mutable {
                            variables.push((index as u32, ty.content_type));
                        }
                    }
                    outline.stack = match variables[..] {
                        [(index, ValType::I32)] => Some(index),
                        _ => None,
                    };
                }
                Payload::CodeSectionEntry(body) => outline.bodies.push(body),
                _ => {}
            }
        }
        if memories > 1 {
            return Err(Reason::Unsupported { what: "several memories" });
        }
        if outline.bodies.len() != outline.functions.len() {
            return Err(Reason::Unsupported { what: "functions without a body" });
        }
        Ok(outline)
    }

    fn add_types(&mut self, group: wasmparser::RecGroup) -> Result<(), Reason> {
        for ty in group.into_types() {
            match ty.composite_type.inner {
                CompositeInnerType::Func(function) => {
                    self.types.push(Signature { params: function.params().into(), results: function.results().into() });
                }
                _ => return Err(Reason::Unsupported { what: "types of other things than functions" }),
            }
        }
        Ok(())
    }

    /// Returns the type with this many `i32` parameters and no results, if the module has it.
    pub(super) fn find_type(&self, params: usize) -> Option<usize> {
        self.types.iter().position(|ty| *ty.params == vec![ValType::I32; params] && ty.results.is_empty())
    }

    /// Returns the numbers of parameters and results of a function type.
    pub(super) fn type_arity(&self, ty: u32) -> Result<(usize, usize), Reason> {
        let ty = self.types.get(ty as usize).ok_or(Reason::Inconsistent)?;
        Ok((ty.params.len(), ty.results.len()))
    }

    /// Returns the numbers of parameters and results of a function.
    pub(super) fn function_arity(&self, function: u32) -> Result<(usize, usize), Reason> {
        self.type_arity(*self.functions.get(function as usize).ok_or(Reason::Inconsistent)?)
    }

    /// Returns the numbers of parameters and results of a block.
    pub(super) fn block_arity(&self, ty: BlockType) -> Result<(usize, usize), Reason> {
        match ty {
            BlockType::Empty => Ok((0, 0)),
            BlockType::Type(_) => Ok((0, 1)),
            BlockType::FuncType(ty) => self.type_arity(ty),
        }
    }
}
