//! The WebAssembly features that kernels may use, and which of them a module requires.

use std::collections::BTreeSet;

use wasmparser::{BinaryReaderError as Error, Operator, Parser, Payload, Validator, WasmFeatures, types::Types};

/// The names of the features that a kernel's module may use beyond the first version of WebAssembly.
pub const FEATURES: [&str; 8] = [
    "bulk-memory",
    "multi-value",
    "mutable-global",
    "reference-types",
    "relaxed-simd",
    "saturating-float-to-int",
    "sign-extension",
    "simd",
];

/// Returns everything that a module may use: [`FEATURES`] and floating-point numbers, but nothing that needs a garbage
/// collector.
pub(crate) fn allowed() -> WasmFeatures {
    FEATURES.iter().fold(WasmFeatures::FLOATS, |all, name| all | flag(name))
}

fn flag(name: &str) -> WasmFeatures {
    match name {
        "bulk-memory" => WasmFeatures::BULK_MEMORY,
        "multi-value" => WasmFeatures::MULTI_VALUE,
        "mutable-global" => WasmFeatures::MUTABLE_GLOBAL,
        "reference-types" => WasmFeatures::REFERENCE_TYPES,
        "relaxed-simd" => WasmFeatures::RELAXED_SIMD,
        "saturating-float-to-int" => WasmFeatures::SATURATING_FLOAT_TO_INT,
        "sign-extension" => WasmFeatures::SIGN_EXTENSION,
        "simd" => WasmFeatures::SIMD,
        _ => WasmFeatures::empty(),
    }
}

/// Returns the features in [`FEATURES`] that a valid module requires: without any one of them, it is invalid.
///
/// For a module that is invalid in any case, returns all of them.
pub fn required_features(module: &[u8]) -> BTreeSet<&'static str> {
    validate(module).map_or_else(|_| FEATURES.into(), |(_, required)| required)
}

/// Validates a module with everything that it [may use](allowed), and returns the features that it requires.
///
/// Services open packs when they start, and once code is cached, validation takes the longest. A module that requires
/// only the features of its instructions, as most do, is therefore validated only once.
pub(crate) fn validate(module: &[u8]) -> Result<(Types, BTreeSet<&'static str>), Error> {
    let mut required = shown_by_instructions(module);
    let shown = required.iter().fold(WasmFeatures::FLOATS, |all, name| all | flag(name));
    if let Ok(types) = Validator::new_with_features(shown).validate_all(module) {
        return Ok((types, required));
    }
    let types = Validator::new_with_features(allowed()).validate_all(module)?;
    let others: Vec<_> = FEATURES.into_iter().filter(|name| !required.contains(name)).collect();
    search(module, &others, &mut required);
    Ok((types, required))
}

/// Returns the features that the instructions in the module's functions belong to, but not those that only another part
/// of the module requires, such as a type.
fn shown_by_instructions(module: &[u8]) -> BTreeSet<&'static str> {
    let mut shown = BTreeSet::new();
    for payload in Parser::new(0).parse_all(module) {
        // A module that cannot be read cannot be validated either.
        let Ok(payload) = payload else { break };
        let Payload::CodeSectionEntry(body) = payload else { continue };
        let Ok(operators) = body.get_operators_reader() else { break };
        for operator in operators {
            match operator.as_ref().map(proposal) {
                Ok("mvp") => {}
                Ok(proposal) => shown.extend(FEATURES.into_iter().find(|name| is_named(proposal, name))),
                Err(_) => break,
            }
        }
    }
    shown
}

/// Returns whether wasmparser's name of a feature is the same as ours, except for how words are joined.
fn is_named(proposal: &str, name: &str) -> bool {
    proposal.split('_').eq(name.split('-'))
}

/// Returns wasmparser's name of the feature that an instruction belongs to.
fn proposal(operator: &Operator<'_>) -> &'static str {
    macro_rules! proposal {
        ($(@$proposal:ident $operator:ident $({ $($argument:ident: $type:ty),* })? => $visit:ident ($($arity:tt)*))*) => {
            match operator {
                $(Operator::$operator { .. } => stringify!($proposal),)*
                _ => "unknown",
            }
        };
    }
    wasmparser::for_each_operator!(proposal)
}

/// Finds the required features of a group by bisection.
///
/// Enabling a feature never makes a valid module invalid, so if a whole group can be disabled, so can each of its
/// members. Most modules need few features, so this takes few validations.
fn search(module: &[u8], group: &[&'static str], required: &mut BTreeSet<&'static str>) {
    let without = group.iter().fold(allowed(), |features, name| features - flag(name));
    if Validator::new_with_features(without).validate_all(module).is_ok() {
        return;
    }
    match group {
        [feature] => {
            required.insert(feature);
        }
        _ => {
            let (left, right) = group.split_at(group.len() / 2);
            search(module, left, required);
            search(module, right, required);
        }
    }
}

#[cfg(test)]
mod tests;
