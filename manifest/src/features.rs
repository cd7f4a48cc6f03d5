//! The WebAssembly features that kernels may use, and which of them a module does.

use std::collections::BTreeSet;

use wasmparser::{Validator, WasmFeatures};

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

/// All that a module may use: [`FEATURES`] and floating-point numbers, but nothing that needs a garbage collector.
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

/// The features of [`FEATURES`] that a valid module cannot do without: it is invalid when one of them is switched off.
///
/// All of them, for a module that is invalid in any case.
pub fn required_features(module: &[u8]) -> BTreeSet<&'static str> {
    let mut required = BTreeSet::new();
    search(module, &FEATURES, &mut required);
    required
}

/// Features only ever add to what is valid, so where a whole group can be switched off, each of its members can. Most
/// modules need few features, and this asks few questions about the others.
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
mod tests {
    use super::*;

    fn required(text: &str) -> Vec<&'static str> {
        required_features(&wat::parse_str(text).unwrap()).into_iter().collect()
    }

    #[test]
    fn each_feature_is_found_by_its_use() {
        assert_eq!(required("(module)"), [""; 0]);
        assert_eq!(required("(module (func (param f32) (result f32) local.get 0))"), [""; 0]);
        assert_eq!(
            required("(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))"),
            ["bulk-memory"]
        );
        assert_eq!(required("(module (func (result i32 i32) i32.const 0 i32.const 0))"), ["multi-value"]);
        assert_eq!(required("(module (global (export \"g\") (mut i32) i32.const 0))"), ["mutable-global"]);
        assert_eq!(required("(module (global (mut i32) i32.const 0))"), [""; 0]);
        assert_eq!(required("(module (table 1 funcref) (table 1 funcref))"), ["reference-types"]);
        assert_eq!(
            required("(module (func (param f32) (result i32) local.get 0 i32.trunc_sat_f32_s))"),
            ["saturating-float-to-int"]
        );
        assert_eq!(required("(module (func (param i32) (result i32) local.get 0 i32.extend8_s))"), ["sign-extension"]);
        assert_eq!(required("(module (func (param v128)))"), ["simd"]);
        assert_eq!(
            required(
                "(module (func (param v128) (result v128)
                    local.get 0 local.get 0 local.get 0 f32x4.relaxed_madd))"
            ),
            ["relaxed-simd", "simd"]
        );
    }

    #[test]
    fn nothing_else_is_allowed() {
        for text in [
            "(module (memory i64 1))",
            "(module (memory 1 1 shared))",
            "(module (memory 1) (memory 1))",
            "(module (tag))",
            "(module (func (result externref) ref.null extern))",
            "(module (func return_call 0))",
            "(module (type (struct)))",
            "(module (global i32 (i32.add (i32.const 1) (i32.const 1))))",
            "(module (memory 1) (func (result i32) (i32.atomic.load (i32.const 0))))",
        ] {
            let module = wat::parse_str(text).unwrap();
            assert!(Validator::new_with_features(allowed()).validate_all(&module).is_err(), "{text}");
            assert_eq!(required_features(&module).len(), FEATURES.len(), "{text}");
        }
    }

    #[test]
    fn every_name_stands_for_a_feature() {
        for name in FEATURES {
            assert!(!flag(name).is_empty(), "{name}");
        }
    }
}
