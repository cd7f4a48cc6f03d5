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

/// Checking the instructions first saves time but does not change the result.
#[test]
fn a_search_without_looking_at_instructions_finds_the_same() {
    for text in [
        "(module)",
        "(module (memory 1) (data \"a\") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0))))",
        "(module (memory 1) (func (memory.copy (i32.const 0) (i32.const 0) (i32.const 0))) (func data.drop 0) (data))",
        "(module (func unreachable i32.extend8_s drop))",
        "(module (func (param v128) (local v128) (drop (f32x4.relaxed_max (local.get 0) (local.get 1)))))",
        "(module (func (drop (i32.trunc_sat_f64_u (f64.const 0))) (drop (i64.extend32_s (i64.const 0)))))",
        "(module (global v128 (v128.const i64x2 0 0)))",
        "(module (table 1 funcref) (func (drop (table.size 0)) (drop (ref.null func))))",
        "(module (func (drop (select (result i32) (i32.const 0) (i32.const 0) (i32.const 0)))))",
        "(module (table 1 funcref) (elem func 0) (func (table.init 0 (i32.const 0) (i32.const 0) (i32.const 0))))",
        "(module (func (block (result i32 i32) i32.const 0 i32.const 0) drop drop))",
    ] {
        let module = wat::parse_str(text).unwrap();
        let mut searched = BTreeSet::new();
        search(&module, &FEATURES, &mut searched);
        assert_eq!(required_features(&module), searched, "{text}");
        assert!(searched.is_superset(&shown_by_instructions(&module)), "{text}");
    }
}

#[test]
fn every_name_is_one_of_the_parsers() {
    let shown = |text: &str| shown_by_instructions(&wat::parse_str(text).unwrap());
    assert_eq!(shown("(module (func (drop (i32.trunc_sat_f32_s (f32.const 0)))))"), ["saturating-float-to-int"].into());
    assert_eq!(shown("(module (func (drop (i32.extend8_s (i32.const 0)))))"), ["sign-extension"].into());
    assert_eq!(shown("(module (memory 1) (data) (func data.drop 0))"), ["bulk-memory"].into());
    assert_eq!(shown("(module (table 1 funcref) (func (drop (table.size 0))))"), ["reference-types"].into());
    assert_eq!(
        shown("(module (func (param v128) (drop (f32x4.relaxed_max (local.get 0) (f32x4.neg (local.get 0))))))"),
        ["relaxed-simd", "simd"].into()
    );
}

#[test]
fn every_name_stands_for_a_feature() {
    for name in FEATURES {
        assert!(!flag(name).is_empty(), "{name}");
    }
}
