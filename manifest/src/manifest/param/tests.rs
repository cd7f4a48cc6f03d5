use proptest::prelude::*;

use super::*;

fn read(json: &str) -> Result<Param, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn defaults_are_written_as_short_as_they_can_be() {
    for (value, json) in [
        (ParamValue::F32(1e-5), r#"{"type":"f32","default":0.00001,"index":0}"#),
        (ParamValue::F32(10000.0), r#"{"type":"f32","default":10000.0,"index":0}"#),
        (ParamValue::F32(0.1), r#"{"type":"f32","default":0.1,"index":0}"#),
        (ParamValue::F32(-0.0), r#"{"type":"f32","default":-0.0,"index":0}"#),
        (ParamValue::U32(u32::MAX), r#"{"type":"u32","default":4294967295,"index":0}"#),
        (ParamValue::I32(i32::MIN), r#"{"type":"i32","default":-2147483648,"index":0}"#),
        (ParamValue::Bool(false), r#"{"type":"bool","default":false,"index":0}"#),
    ] {
        let param = Param { ty: value.ty(), default: Some(value), index: 0 };
        assert_eq!(serde_json::to_string(&param).unwrap(), json);
        assert_eq!(read(json).unwrap().default.unwrap().to_bits(), value.to_bits());
    }
    let required = Param { ty: ParamType::F32, default: None, index: 3 };
    assert_eq!(serde_json::to_string(&required).unwrap(), r#"{"type":"f32","index":3}"#);
    assert_eq!(read(r#"{"type":"f32","index":3}"#), Ok(required));
    assert_eq!(read(r#"{"type":"f32","default":2,"index":0}"#).unwrap().default, Some(ParamValue::F32(2.0)));
}

#[test]
fn defaults_of_another_type_are_refused() {
    for (ty, default) in [
        ("f32", "1e39"),
        ("f32", "true"),
        ("f32", "\"1\""),
        ("u32", "-1"),
        ("u32", "4294967296"),
        ("u32", "1.0"),
        ("i32", "2147483648"),
        ("i32", "0.5"),
        ("bool", "1"),
        ("f64", "1"),
        ("f32", "[]"),
    ] {
        let json = format!(r#"{{"type":"{ty}","default":{default},"index":0}}"#);
        assert!(read(&json).is_err(), "{json}");
    }
    for json in
        [r#"{"type":"f32"}"#, r#"{"index":0}"#, r#"{"type":"f32","index":-1}"#, r#"{"type":"f32","index":0,"x":0}"#]
    {
        assert!(read(json).is_err(), "{json}");
    }
    let infinite = Param { ty: ParamType::F32, default: Some(ParamValue::F32(f32::INFINITY)), index: 0 };
    assert!(read(&serde_json::to_string(&infinite).unwrap()).is_err());
}

proptest! {
    #[test]
    fn every_finite_number_reads_back_to_the_bit(bits: u32) {
        let value = f32::from_bits(bits);
        prop_assume!(value.is_finite());
        let json = serde_json::to_string(&to_json(ParamValue::F32(value))).unwrap();
        let read = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(from_json(ParamType::F32, &read).unwrap().to_bits(), bits);
    }
}
