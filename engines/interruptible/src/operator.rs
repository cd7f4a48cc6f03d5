//! What the rewriting has to know of an instruction, one question a function.
//!
//! Everything is derived from the parser's own table of instructions, so that none can be forgotten: one that this file
//! does not know is refused.

use wasmparser::{BlockType, ContType, FrameKind, FuncType, MemArg, ModuleArity, Operator, RefType, SubType};

/// Whether the instruction belongs to a proposal that kernels may use.
pub(super) fn is_supported(operator: &Operator<'_>) -> bool {
    macro_rules! proposal {
        ($(@$proposal:ident $operator:ident $({ $($argument:ident: $type:ty),* })? => $visit:ident ($($arity:tt)*))*) => {
            match operator {
                $(Operator::$operator { .. } => stringify!($proposal),)*
                _ => "unknown",
            }
        };
    }
    matches!(
        wasmparser::for_each_operator!(proposal),
        "mvp"
            | "sign_extension"
            | "saturating_float_to_int"
            | "bulk_memory"
            | "reference_types"
            | "simd"
            | "relaxed_simd"
    )
}

/// Where the instruction reads or writes linear memory, if it does so inline. The address is the deepest of the operands
/// it takes.
pub(super) fn access(operator: &Operator<'_>) -> Option<MemArg> {
    let mut found = None;
    macro_rules! look {
        (memarg, $value:expr) => {
            found = Some(*$value)
        };
        ($argument:ident, $value:expr) => {
            let _ = $value;
        };
    }
    macro_rules! search {
        ($(@$proposal:ident $operator:ident $({ $($argument:ident: $type:ty),* })? => $visit:ident ($($arity:tt)*))*) => {
            match operator {
                $(Operator::$operator $({ $($argument),* })? => { $($(look!($argument, $argument);)*)? })*
                _ => {}
            }
        };
    }
    wasmparser::for_each_operator!(search);
    found
}

/// How many operands a plain instruction takes and gives: one that neither branches nor calls.
pub(super) fn arity(operator: &Operator<'_>) -> Option<(u32, u32)> {
    operator.operator_arity(&Nothing)
}

/// A module without types, functions and labels, so that whatever depends on those has no arity.
struct Nothing;

impl ModuleArity for Nothing {
    fn sub_type_at(&self, _: u32) -> Option<&SubType> {
        None
    }

    fn tag_type_arity(&self, _: u32) -> Option<(u32, u32)> {
        None
    }

    fn type_index_of_function(&self, _: u32) -> Option<u32> {
        None
    }

    fn func_type_of_cont_type(&self, _: &ContType) -> Option<&FuncType> {
        None
    }

    fn sub_type_of_ref_type(&self, _: &RefType) -> Option<&SubType> {
        None
    }

    fn control_stack_height(&self) -> u32 {
        0
    }

    fn label_block(&self, _: u32) -> Option<(BlockType, FrameKind)> {
        None
    }
}
