use super::*;

fn value(ty: ParamType, text: &str) -> Result<ParamValue, String> {
    format!("p={text}").parse::<ParamArg>().unwrap().value(ty)
}

#[test]
fn values_have_the_declared_type() {
    assert_eq!(value(ParamType::F32, "1e-5"), Ok(ParamValue::F32(1e-5)));
    assert_eq!(value(ParamType::F32, "-2"), Ok(ParamValue::F32(-2.0)));
    assert_eq!(value(ParamType::F32, "-inf"), Ok(ParamValue::F32(f32::NEG_INFINITY)));
    assert!(matches!(value(ParamType::F32, "nan"), Ok(ParamValue::F32(nan)) if nan.is_nan()));
    assert_eq!(value(ParamType::U32, "4294967295"), Ok(ParamValue::U32(u32::MAX)));
    assert_eq!(value(ParamType::I32, "-2147483648"), Ok(ParamValue::I32(i32::MIN)));
    assert_eq!(value(ParamType::Bool, "true"), Ok(ParamValue::Bool(true)));
}

#[test]
fn other_texts_are_refused() {
    for (ty, text) in [
        (ParamType::F32, "one"),
        (ParamType::F32, "1e39"),
        (ParamType::U32, "-1"),
        (ParamType::U32, "4294967296"),
        (ParamType::U32, "1.0"),
        (ParamType::I32, "2147483648"),
        (ParamType::Bool, "1"),
        (ParamType::Bool, "True"),
    ] {
        let said = value(ty, text).unwrap_err();
        assert!(said.starts_with(&format!("parameter \"p\" has the type {}: give ", ty.name())), "{said}");
        assert!(said.ends_with(&format!(", not {text:?}")), "{said}");
    }
    for wrong in ["", "p", "p=", "=1"] {
        assert!(wrong.parse::<ParamArg>().is_err(), "{wrong}");
    }
}
