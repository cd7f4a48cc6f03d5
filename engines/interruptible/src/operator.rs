//! Answers what the rewriting needs to know about an instruction, one question per function.
//!
//! Everything is derived from the parser's own table of instructions, so that none can be forgotten: an instruction
//! that this file does not know is rejected.

use wasmparser::{BlockType, ContType, FrameKind, FuncType, MemArg, ModuleArity, Operator, RefType, SubType};

/// Returns whether the instruction belongs to a proposal that kernels may use.
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

/// Returns the memory argument of an instruction that accesses linear memory inline. The address is the deepest of its
/// operands.
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

/// Returns the numbers of operands and results of a plain instruction, which neither branches nor calls.
pub(super) fn arity(operator: &Operator<'_>) -> Option<(u32, u32)> {
    operator.operator_arity(&Nothing)
}

/// A module without types, functions and labels, so that any instruction which depends on those has no arity.
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
