use kernelpack_abi::{DType, ParamType, Role};

use super::*;
use crate::samples::{FULL, spec_of};

#[track_caller]
fn differs(change: impl FnOnce(&mut KernelSpecBuf), expected: &str) {
    let (a, mut b) = (spec_of(&FULL), spec_of(&FULL));
    assert_eq!(first_difference(&a, &b), None);
    change(&mut b);
    assert_eq!(first_difference(&a, &b).as_deref(), Some(expected));
}

#[test]
fn every_field_counts() {
    let text = || "other".to_owned();
    differs(|b| b.id = text(), r#"id is "k_f32" and "other""#);
    differs(|b| b.name = text(), r#"name is "K (FP32)" and "other""#);
    differs(|b| b.description = text(), r#"description is "Does k." and "other""#);
    differs(|b| b.category = text(), r#"category is "activation" and "other""#);
    differs(|b| b.family = text(), r#"family is "k" and "other""#);
    differs(|b| b.entry_point = text(), r#"entry_point is "k_forward" and "other""#);
    differs(|b| b.fallback = text(), r#"fallback is "k_reference" and "other""#);
    differs(|b| b.limits.max_memory_pages = 1, "max_memory_pages is 16 and 1");
    differs(|b| b.limits.max_epoch_ticks = 1, "max_epoch_ticks is 1000 and 1");
    differs(|b| b.limits.max_table_elements = 1, "max_table_elements is 8 and 1");
    differs(|b| b.limits.max_instances = 1, "max_instances is 4 and 1");
    differs(|b| b.limits.max_stack_bytes = 65_536, "max_stack_bytes is 131072 and 65536");
    differs(|b| b.lifecycle.init = false, "init is true and false");
    differs(|b| b.lifecycle.cleanup = false, "cleanup is true and false");
    differs(|b| b.backward = None, "backward is true and false");
}

#[test]
fn every_part_of_a_pass_counts() {
    differs(|b| drop(b.forward.tensors.pop()), "tensors is [x, weight, state, tmp, y] and [x, weight, state, tmp]");
    differs(|b| b.forward.tensors.swap(0, 1), "tensors is [x, weight, state, tmp, y] and [weight, x, state, tmp, y]");
    differs(|b| b.forward.tensors[0].dtype = DType::F16, r#"tensor "x": dtype is f32 and f16"#);
    differs(|b| b.forward.tensors[0].role = Role::InOut, r#"tensor "x": role is input and in-out tensor"#);
    differs(|b| b.forward.tensors[1].optional = false, r#"tensor "weight": optional is true and false"#);
    differs(
        |b| b.forward.tensors[1].dims[0] = Dim::Mul(1, 2),
        r#"tensor "weight": shape is [dim/2, 32] and [dim*2, 32]"#,
    );
    differs(
        |b| b.forward.tensors[1].dims[0] = Dim::Symbol(9),
        r#"tensor "weight": shape is [dim/2, 32] and [symbol 9, 32]"#,
    );
    differs(|b| b.forward.tensors[3].len[3] = Op::Sub, r#"tensor "tmp": length is rows*(dim+4) and rows*(dim-4)"#);
    differs(|b| b.forward.tensors[0].len = vec![Op::Const(1)], r#"tensor "x": length is [] and 1"#);
    differs(|b| b.forward.symbols[1] = "d".into(), r#"tensor "x": shape is [rows, dim] and [rows, d]"#);
    differs(|b| b.forward.symbols.push("n".into()), r#"symbols is ["rows", "dim"] and ["rows", "dim", "n"]"#);
    differs(
        |b| b.forward.params.swap(0, 1),
        "parameters is [eps, causal, axis, offset] and [causal, eps, axis, offset]",
    );
    differs(|b| b.forward.params[3].ty = ParamType::I32, r#"parameter "offset": type is u32 and i32"#);
    differs(|b| b.forward.params[0].default = None, r#"parameter "eps": default is 0.00001 and none"#);
    differs(
        |b| b.forward.params[0].default = Some(ParamValue::F32(1e-6)),
        r#"parameter "eps": default is 0.00001 and 0.000001"#,
    );
    differs(
        |b| b.backward.as_mut().unwrap().tensors[0].dtype = DType::F16,
        r#"backward tensor "dy": dtype is f32 and f16"#,
    );
}

#[test]
fn zeros_of_both_signs_differ() {
    let with = |value: f32| {
        let mut spec = spec_of(&FULL);
        spec.forward.params[0].default = Some(ParamValue::F32(value));
        spec
    };
    assert_eq!(with(0.0), with(-0.0));
    assert_eq!(first_difference(&with(0.0), &with(-0.0)).unwrap(), r#"parameter "eps": default is 0 and -0"#);
}
