use super::*;

/// Returns why a manifest of nearly the largest size is refused, in which as many items as fit follow `from`.
///
/// This must be as fast as for any other manifest. Each of these tests took minutes when lists were searched before
/// they were counted.
#[track_caller]
fn refused_when_full(from: &str, item: impl Fn(usize) -> String) -> (usize, Rejected) {
    let mut json = crate::samples::json();
    let at = json.find(from).unwrap_or_else(|| panic!("{from:?} is not in the sample")) + from.len();
    let (mut items, mut count) = (String::new(), 0);
    while json.len() + items.len() < crate::MAX_MANIFEST_BYTES - 1000 {
        items += &item(count);
        items.push(',');
        count += 1;
    }
    json.insert_str(at, &items);
    (count, Manifest::parse(json.as_bytes()).unwrap_err())
}

fn of_k(fault: KernelFault) -> Rejected {
    Rejected::Kernel { kernel: "k_f32".into(), fault }
}

#[test]
fn a_shape_of_very_many_symbols_is_refused_by_its_rank() {
    let (count, found) = refused_when_full("\"shape\": [", |at| format!("\"{at:x}s\"").replacen('"', "\"s", 1));
    assert!(count > 300_000);
    assert_eq!(found, of_k(KernelFault::TooMany { what: "axes", count: count + 2, limit: 8 }));
}

#[test]
fn very_many_tensors_are_refused_by_their_number() {
    let tensor = |inout: bool| {
        move |at: usize| format!(r#"{{"name":"t{at}","dtype":"f32","shape":[],"index":{at},"inout":{inout}}}"#)
    };
    let too_many = |count| of_k(KernelFault::TooMany { what: "tensors", count, limit: 16 });
    for inout in [false, true] {
        let (count, found) = refused_when_full("\"inputs\": [", tensor(inout));
        assert!(count > 40_000);
        assert_eq!(found, too_many(count + 5));
    }
    let (count, found) = refused_when_full("\"outputs\": [", tensor(false));
    assert_eq!(found, too_many(count + 5));
    let (count, found) = refused_when_full("\"outputs\": [", tensor(true));
    assert_eq!(found, too_many(count + 2));
    let scratch = |at| format!(r#"{{"name":"t{at}","dtype":"f32","len":"rows*dim","index":{at}}}"#);
    let (count, found) = refused_when_full("\"scratch\": [", scratch);
    assert_eq!(found, too_many(count + 5));
}

#[test]
fn other_very_long_lists_are_refused_too() {
    let (count, found) = refused_when_full("\"params\": {", |at| format!(r#""p{at}":{{"type":"u32","index":{at}}}"#));
    assert_eq!(found, of_k(KernelFault::TooMany { what: "parameters", count: count + 4, limit: 32 }));
    let (_, found) = refused_when_full("\"fallbacks\": {", |at| format!(r#""f{at}":"r""#));
    assert!(matches!(found, Rejected::UnknownFallback { .. }), "{found}");
    let (_, found) = refused_when_full("\"features\": [", |at| format!("\"f{}\"", at / 2));
    assert_eq!(found, of_k(KernelFault::BadPlatform { name: "f0".into() }));
    let (_, found) = refused_when_full("\"platforms\": {", |at| format!(r#""P{at}":{{"min_version":"1.0.0"}}"#));
    assert!(matches!(found, Rejected::Kernel { fault: KernelFault::BadPlatform { .. }, .. }), "{found}");
    let (_, found) = refused_when_full("\"benchmarks\": {", |at| format!(r#""b{at}":{{"latency_us":-1}}"#));
    assert!(matches!(found, Rejected::Kernel { fault: KernelFault::BadBenchmark { .. }, .. }), "{found}");
    let (_, found) = refused_when_full("\"len\": \"", |_| "(".repeat(900));
    assert!(matches!(found, Rejected::Malformed { .. }), "{found}");
}
