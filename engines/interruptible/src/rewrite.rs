//! Writes the rewritten module: sections and functions are copied unless something in them changes.

use std::{borrow::Cow, ops::Range};

use wasm_encoder::{Encode, InstructionSink, Module, RawSection};
use wasmparser::{BinaryReader, Operator};

use super::{
    Reason, STACK_POINTER,
    helpers::Helper,
    origins::Origin,
    outline::{Outline, Section},
    paths::Touches,
};

/// The numbers of the sections that change.
const CUSTOM: u8 = 0;
const TYPE: u8 = 1;
const FUNCTION: u8 = 3;
const EXPORT: u8 = 7;
const CODE: u8 = 10;

/// The appended functions, in order.
pub(super) struct Helpers {
    all: Vec<Helper>,
    /// The index of the first.
    first: u32,
}

impl Helpers {
    pub(super) fn new(outline: &Outline<'_>, all: Vec<Helper>) -> Self {
        // Functions take at least a byte each, so their number is far below the largest index.
        Self { all, first: outline.functions.len() as u32 }
    }

    fn call(&self, helper: Helper, body: &mut Vec<u8>) -> Result<(), Reason> {
        let place = self.all.iter().position(|&found| found == helper).ok_or(Reason::Inconsistent)?;
        InstructionSink::new(body).call(self.first + place as u32);
        Ok(())
    }

    /// Writes a call of the function in which a guest is stopped.
    fn check(&self, body: &mut Vec<u8>) -> Result<(), Reason> {
        self.call(if self.all.contains(&Helper::Touch) { Helper::Touch } else { Helper::Check }, body)
    }
}

/// Returns a function with its touches, and with calls in place of `memory.fill` and `memory.copy`. The range and the
/// offsets refer to `wasm`.
pub(super) fn body(
    wasm: &[u8],
    range: Range<usize>,
    operators: &[(Operator<'_>, usize)],
    touches: &Touches,
    helpers: &Helpers,
) -> Result<(Vec<u8>, Origin), Reason> {
    let mut origin = Origin::at(range.start);
    let mut body = Vec::with_capacity(range.len() + 8 * touches.count());
    let first = operators.first().map_or(range.end, |(_, offset)| *offset);
    body.extend_from_slice(wasm.get(range.start..first).ok_or(Reason::Inconsistent)?);
    if touches.entry {
        origin.step(body.len(), first);
        helpers.check(&mut body)?;
        origin.step(body.len(), first);
    }
    let (mut before, mut behind) = (touches.before.iter().peekable(), touches.loops.iter().peekable());
    for (position, (operator, offset)) in operators.iter().enumerate() {
        if before.next_if_eq(&&position).is_some() {
            origin.step(body.len(), *offset);
            helpers.check(&mut body)?;
            origin.step(body.len(), *offset);
        }
        let end = operators.get(position + 1).map_or(range.end, |(_, offset)| *offset);
        match operator {
            Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } => {
                origin.step(body.len(), *offset);
                let fills = matches!(operator, Operator::MemoryFill { .. });
                helpers.call(if fills { Helper::Fill } else { Helper::Copy }, &mut body)?;
                origin.step(body.len(), end);
            }
            _ => {
                body.extend_from_slice(wasm.get(*offset..end).ok_or(Reason::Inconsistent)?);
            }
        }
        if behind.next_if_eq(&&position).is_some() {
            origin.step(body.len(), end);
            helpers.check(&mut body)?;
            origin.step(body.len(), end);
        }
    }
    Ok((body, origin))
}

/// Returns the module with these function bodies in place of its own, followed by the helpers'.
pub(super) fn module(
    wasm: &[u8],
    outline: &Outline<'_>,
    helpers: &Helpers,
    bodies: &[Cow<'_, [u8]>],
) -> Result<Vec<u8>, Reason> {
    let (types, indices) = helper_types(outline, helpers);
    let mut module = Module::new();
    for Section { id, range } in &outline.sections {
        let old = wasm.get(range.clone()).ok_or(Reason::Inconsistent)?;
        let new = match *id {
            TYPE => Cow::Owned(appended(old, &types)?),
            FUNCTION => Cow::Owned(appended(old, &indices)?),
            EXPORT => match outline.stack {
                Some(global) => Cow::Owned(appended(old, &[stack_pointer(global)])?),
                None => Cow::Borrowed(old),
            },
            CODE => Cow::Owned(code(bodies)),
            CUSTOM => match custom(old, helpers) {
                Some(new) => new,
                None => continue,
            },
            _ => Cow::Borrowed(old),
        };
        module.section(&RawSection { id: *id, data: &new });
    }
    Ok(module.finish())
}

/// Returns the export of a global as the stack pointer.
fn stack_pointer(global: u32) -> Vec<u8> {
    const GLOBAL: u8 = 3;
    let mut export = Vec::new();
    STACK_POINTER.encode(&mut export);
    export.push(GLOBAL);
    global.encode(&mut export);
    export
}

/// Returns the encoded types that the helpers need and the module lacks, and the encoded type of each helper.
fn helper_types(outline: &Outline<'_>, helpers: &Helpers) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut types, mut indices) = (Vec::<Vec<u8>>::new(), Vec::new());
    for helper in &helpers.all {
        let mut ty = vec![0x60];
        helper.params().encode(&mut ty);
        0u32.encode(&mut ty);
        let place = outline.find_type(helper.params().len()).unwrap_or_else(|| {
            let place = types.iter().position(|added| *added == ty).unwrap_or(types.len());
            if place == types.len() {
                types.push(ty);
            }
            outline.types.len() + place
        });
        let mut index = Vec::new();
        (place as u32).encode(&mut index);
        indices.push(index);
    }
    (types, indices)
}

/// Appends items to a section's list.
fn appended(list: &[u8], items: &[Vec<u8>]) -> Result<Vec<u8>, Reason> {
    let mut reader = BinaryReader::new(list, 0);
    let count = reader.read_var_u32().map_err(Reason::unreadable)?;
    let mut longer = Vec::with_capacity(list.len() + 32);
    count.checked_add(items.len() as u32).ok_or(Reason::Inconsistent)?.encode(&mut longer);
    longer.extend_from_slice(&list[reader.original_position()..]);
    longer.extend(items.iter().flatten());
    Ok(longer)
}

fn code(bodies: &[Cow<'_, [u8]>]) -> Vec<u8> {
    let mut code = Vec::with_capacity(bodies.iter().map(|body| body.len() + 4).sum());
    bodies.len().encode(&mut code);
    for body in bodies {
        (**body).encode(&mut code);
    }
    code
}

/// Rewrites a custom section: helpers get names if the other functions have some, and code hints are dropped, since
/// their offsets have changed.
fn custom<'s>(section: &'s [u8], helpers: &Helpers) -> Option<Cow<'s, [u8]>> {
    let mut reader = BinaryReader::new(section, 0);
    match reader.read_string() {
        Ok("name") => {
            let (name, content) = section.split_at(reader.original_position());
            // Names are not validated, so a section that cannot be read is copied unchanged.
            let named = named(content, helpers).map(|named| Cow::Owned([name, &named].concat()));
            Some(named.unwrap_or(Cow::Borrowed(section)))
        }
        Ok(name) if name.starts_with("metadata.code.") => None,
        _ => Some(Cow::Borrowed(section)),
    }
}

/// Returns the content of a name section, with the helpers' names.
fn named(content: &[u8], helpers: &Helpers) -> Option<Vec<u8>> {
    const FUNCTIONS: u8 = 1;
    let mut names = Vec::new();
    for (helper, index) in helpers.all.iter().zip(helpers.first..) {
        let mut name = Vec::new();
        index.encode(&mut name);
        helper.name().encode(&mut name);
        names.push(name);
    }
    let mut reader = BinaryReader::new(content, 0);
    let (mut longer, mut found) = (Vec::with_capacity(content.len() + 64), false);
    while !reader.eof() {
        let id = reader.read_u8().ok()?;
        let size = reader.read_var_u32().ok()? as usize;
        let part = reader.read_bytes(size).ok()?;
        longer.push(id);
        if id == FUNCTIONS {
            found = true;
            appended(part, &names).ok()?.encode(&mut longer);
        } else {
            part.encode(&mut longer);
        }
    }
    found.then_some(longer)
}
