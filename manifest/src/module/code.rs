//! Limits the work that a module's code causes in a compiler.
//!
//! Compiling is the one step that a signer could make arbitrarily slow, so its cost is bounded before it begins. Most
//! of the time is proportional to the bytes of code; a compiler's analyses take more than that for large functions, for
//! many functions, and for variables that are live across many branches.

use std::ops::Range;

use wasmparser::{BlockType, CompositeInnerType, Error, FunctionBody, Operator, SubType};

use crate::ModuleFault;

/// The most bytes of code that a module may have.
pub const MAX_CODE_BYTES: usize = 512 << 10;
/// The most functions that a module may have.
pub const MAX_FUNCTIONS: u32 = 4096;
/// The most bytes that a function may have.
pub const MAX_FUNCTION_BYTES: usize = 64 << 10;
/// The most values live at the branches of a module, summed over all branches.
///
/// Branches are the blocks, loops, ifs, elses and `br_if`s of every function, and each function's body. The values that
/// are live at a branch are the function's locals, parameters and results, and the parameters and results of every
/// enclosing block, loop and if.
pub const MAX_LIVE_VALUES: u64 = 1 << 18;
/// The most parameters and results in total of all blocks, loops and ifs that refer to a function type.
pub const MAX_BLOCK_VALUES: u64 = 1 << 14;
/// The most types that a module may have.
pub const MAX_TYPES: u64 = 512;
/// The most parameters and results in total of a module's functions.
pub const MAX_FUNCTION_VALUES: u64 = 1 << 16;
/// The most parameters and results in total of a module's types.
pub const MAX_TYPE_VALUES: u64 = 1 << 14;
/// The most parameters and results in total of all call instructions in a module.
///
/// Each call counts as one more, or as 17 more if it is indirect. Instructions that call the engine, such as those for
/// tables and `memory.grow`, count as 17 each.
pub const MAX_CALL_VALUES: u64 = 1 << 17;
/// The extra count for looking up and checking the function of an indirect call, or for calling the engine.
const INDIRECT: u64 = 16;
/// The most targets in total of a module's `br_table`s.
pub const MAX_BRANCH_TARGETS: u64 = 1 << 14;
/// The most data segments and element segments in total that a module may have.
pub const MAX_SEGMENTS: u64 = 4096;
/// The most entries in total of a module's element segments.
pub const MAX_ELEMENTS: u64 = 1 << 16;
/// The most globals and exports in total that a module may have.
pub const MAX_DEFINITIONS: u64 = 4096;

/// The cost of a module's code, added up function by function.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) bytes: usize,
    functions: u32,
    live_values: u64,
    block_values: u64,
    function_values: u64,
    types: u64,
    type_values: u64,
    call_values: u64,
    branch_targets: u64,
    segments: u64,
    elements: u64,
    definitions: u64,
    /// Parameters and results of each type; 0 for a type that is not a function's.
    values: Vec<u64>,
    /// The type of each function.
    functions_types: Vec<u32>,
    /// The first function that is too large, and its size.
    too_large: Option<(u32, usize)>,
}

impl Code {
    /// Counts a type.
    pub(crate) fn add_type(&mut self, ty: &SubType) {
        self.types += 1;
        let values = match &ty.composite_type.inner {
            CompositeInnerType::Func(ty) => (ty.params().len() + ty.results().len()) as u64,
            _ => 0,
        };
        self.type_values = self.type_values.saturating_add(values);
        self.values.push(values);
    }

    /// Records the type of the next function.
    pub(crate) fn declare(&mut self, ty: u32) {
        self.functions_types.push(ty);
    }

    /// Counts segments, and the elements in them.
    pub(crate) fn add_segments(&mut self, segments: u32, elements: u64) {
        self.segments = self.segments.saturating_add(u64::from(segments));
        self.elements = self.elements.saturating_add(elements);
    }

    /// Counts globals or exports.
    pub(crate) fn add_definitions(&mut self, definitions: u32) {
        self.definitions = self.definitions.saturating_add(u64::from(definitions));
    }

    /// Returns the number of parameters and results of a type. Code is counted before it is validated, so the type may
    /// not exist; validation refuses the module later.
    fn values_of(&self, ty: u32) -> u64 {
        self.values.get(ty as usize).copied().unwrap_or(0)
    }

    fn values_of_function(&self, function: u32) -> u64 {
        self.functions_types.get(function as usize).map_or(0, |&ty| self.values_of(ty))
    }

    /// Begins the code section.
    pub(crate) fn start(&mut self, functions: u32, range: &Range<usize>) {
        (self.functions, self.bytes) = (functions, range.len());
    }

    /// Counts the next function, unless the module is already over a limit.
    pub(crate) fn add(&mut self, index: u32, body: &FunctionBody<'_>) -> Result<(), Error> {
        if self.bytes > MAX_CODE_BYTES || self.too_large.is_some() || self.check().is_err() {
            return Ok(());
        }
        let size = body.range().len();
        if size > MAX_FUNCTION_BYTES {
            self.too_large = Some((index, size));
            return Ok(());
        }
        let mut live = self.values_of_function(index);
        self.function_values = self.function_values.saturating_add(live);
        for group in body.get_locals_reader()? {
            live += u64::from(group?.0);
        }
        // A body is a block, too.
        self.live_values = self.live_values.saturating_add(live);
        // The parameters and results of each open block, loop and if.
        let mut open = Vec::new();
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            match operators.read()? {
                Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
                    let values = match blockty {
                        BlockType::Empty => 0,
                        BlockType::Type(_) => 1,
                        BlockType::FuncType(ty) => {
                            let values = self.values_of(ty);
                            self.block_values = self.block_values.saturating_add(values);
                            values
                        }
                    };
                    open.push(values);
                    live = live.saturating_add(values);
                    self.live_values = self.live_values.saturating_add(live);
                }
                Operator::Else | Operator::BrIf { .. } => self.live_values = self.live_values.saturating_add(live),
                // Only the last `end`, which closes the function itself, finds nothing open.
                Operator::End => live -= open.pop().unwrap_or(0),
                Operator::Call { function_index } => self.add_call(self.values_of_function(function_index)),
                Operator::TableGet { .. }
                | Operator::TableGrow { .. }
                | Operator::TableFill { .. }
                | Operator::TableCopy { .. }
                | Operator::TableInit { .. }
                | Operator::ElemDrop { .. }
                | Operator::RefFunc { .. }
                | Operator::MemoryInit { .. }
                | Operator::DataDrop { .. }
                | Operator::MemoryGrow { .. } => self.add_call(INDIRECT),
                Operator::CallIndirect { type_index, .. } => self.add_call(self.values_of(type_index) + INDIRECT),
                Operator::BrTable { targets } => {
                    self.branch_targets = self.branch_targets.saturating_add(u64::from(targets.len()) + 1);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add_call(&mut self, values: u64) {
        self.call_values = self.call_values.saturating_add(values + 1);
    }

    /// Checks that the code is within all limits.
    pub(crate) fn check(&self) -> Result<(), ModuleFault> {
        let too_much = |what, found, limit| Err(ModuleFault::TooMuchCode { what, found, limit });
        if self.bytes > MAX_CODE_BYTES {
            return too_much("bytes of code", self.bytes as u64, MAX_CODE_BYTES as u64);
        }
        if self.functions > MAX_FUNCTIONS {
            return too_much("functions", u64::from(self.functions), u64::from(MAX_FUNCTIONS));
        }
        if let Some((index, size)) = self.too_large {
            return Err(ModuleFault::FunctionTooLarge { index, size, limit: MAX_FUNCTION_BYTES });
        }
        for (what, found, limit) in [
            ("values live at branches", self.live_values, MAX_LIVE_VALUES),
            ("parameters and results of blocks", self.block_values, MAX_BLOCK_VALUES),
            ("parameters and results of functions", self.function_values, MAX_FUNCTION_VALUES),
            ("types", self.types, MAX_TYPES),
            ("parameters and results of types", self.type_values, MAX_TYPE_VALUES),
            ("parameters and results of calls", self.call_values, MAX_CALL_VALUES),
            ("targets of br_table", self.branch_targets, MAX_BRANCH_TARGETS),
            ("segments", self.segments, MAX_SEGMENTS),
            ("elements in segments", self.elements, MAX_ELEMENTS),
            ("globals and exports", self.definitions, MAX_DEFINITIONS),
        ] {
            if found > limit {
                return too_much(what, found, limit);
            }
        }
        Ok(())
    }
}
