use kernelpack_abi::{ParamType, ParamValue};

use super::*;
use crate::{AotFile, AotTarget, Digest, Extent, HealthEntry, Param, Scratch, Tensor, VectorFault, samples::manifest};

/// What a sample that was changed so is refused for, both as it is and as JSON where JSON can hold it.
#[track_caller]
fn refused(change: impl FnOnce(&mut Manifest)) -> Rejected {
    let mut manifest = manifest();
    assert_eq!(manifest.validate(), Ok(()));
    change(&mut manifest);
    let found = manifest.validate().unwrap_err();
    assert!(!found.to_string().is_empty());
    if serde_json::to_value(&manifest).is_ok_and(|json| !json.to_string().contains("null")) {
        assert!(Manifest::parse(&manifest.to_json()).is_err());
    }
    found
}

#[track_caller]
fn fault(change: impl FnOnce(&mut Kernel)) -> KernelFault {
    match refused(|manifest| change(&mut manifest.kernels[0])) {
        Rejected::Kernel { fault, .. } => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn the_head_is_checked() {
    let schema = "https://kernelpack.dev/schemas/kernel-pack-v2.json";
    assert_eq!(refused(|it| it.schema = schema.into()), Rejected::UnknownSchema { found: schema.into() });
    let abi = CompatibilityResult::AbiVersion { found: 7, supported: 1 };
    assert_eq!(refused(|it| it.abi_version = 7), Rejected::Incompatible(abi));
    assert_eq!(refused(|it| it.name.clear()), Rejected::NoName);
    let control = |field| Rejected::ControlCharacters { field, text: "\u{1b}[2J".into() };
    assert_eq!(refused(|it| it.name = "\u{1b}[2J".into()), control("name"));
    assert_eq!(refused(|it| it.description = "\u{1b}[2J".into()), control("description"));
    assert_eq!(refused(|it| it.author.name = "\u{1b}[2J".into()), control("author.name"));
    assert_eq!(refused(|it| it.author.email = Some("\u{1b}[2J".into())), control("author.email"));
    let reversed = refused(|it| it.name = "kernels\u{202e}".into()).to_string();
    assert_eq!(reversed, "the pack's name has control characters: \"kernels\\u{202e}\"; remove them");
    let (min, max) = ("1.0.1".parse().unwrap(), "1.0.0".parse().unwrap());
    assert_eq!(refused(|it| it.min_runtime_version = "1.0.1".parse().unwrap()), Rejected::VersionsCrossed { min, max });
    let value = "2026-02-30T00:00:00Z";
    assert_eq!(refused(|it| it.created_at = value.into()), Rejected::BadTime { value: value.into() });
    let text = "ed25519:AAAA...";
    let bad = Rejected::BadSigningKey(crate::KeyError::BadId { text: text.into() });
    assert_eq!(refused(|it| it.author.signing_key = text.into()), bad);
}

#[test]
fn one_runtime_version_is_enough() {
    let mut manifest = manifest();
    manifest.min_runtime_version = "1.0.0+b".parse().unwrap();
    manifest.max_runtime_version = "1.0.0+a".parse().unwrap();
    assert_eq!(manifest.validate(), Ok(()));
}

#[test]
fn the_list_of_kernels_is_checked() {
    assert_eq!(refused(|it| it.kernels.clear()), Rejected::NoKernels);
    let many = |count: usize| {
        move |it: &mut Manifest| {
            it.fallbacks.clear();
            it.kernels = (0..count)
                .map(|at| {
                    let id = format!("k{at}");
                    Kernel { path: format!("k/{id}.wasm"), id, ..it.kernels[1].clone() }
                })
                .collect();
        }
    };
    let mut largest = manifest();
    many(MAX_KERNELS)(&mut largest);
    assert_eq!(largest.validate(), Ok(()));
    assert_eq!(refused(many(MAX_KERNELS + 1)), Rejected::TooManyKernels { count: MAX_KERNELS + 1 });

    assert_eq!(refused(|it| it.kernels.push(it.kernels[0].clone())), Rejected::DuplicateKernel { id: "k_f32".into() });
    let upper = |it: &mut Manifest| {
        let kernel = &mut it.kernels[1];
        (kernel.id, kernel.path) = ("K_F32".into(), "k/K_F32.wasm".into());
    };
    assert_eq!(
        refused(upper).to_string(),
        "kernels \"k_f32\" and \"K_F32\" both claim the file \"k/K_F32.wasm\"; file names must differ in more than case"
    );
    assert!(matches!(refused(|it| it.kernels[1].path = "k/k_f32.wasm".into()), Rejected::DuplicatePath { .. }));
}

#[test]
fn fallbacks_name_kernels_of_the_pack() {
    assert_eq!(
        refused(|it| drop(it.fallbacks.insert("gone".into(), "reference".into()))),
        Rejected::UnknownFallback { kernel: "gone".into() }
    );
    for bad in ["", "a-b"] {
        let fault = KernelFault::BadName { what: "fallback", name: bad.into() };
        let expected = Rejected::Kernel { kernel: "k_f32".into(), fault };
        assert_eq!(refused(|it| drop(it.fallbacks.insert("k_f32".into(), bad.into()))), expected);
    }
}

#[test]
fn paths_stay_inside_and_belong_to_their_kernel() {
    for path in
        ["../k_f32.wasm", "/k/k_f32.wasm", "k\\k_f32.wasm", "k/../k_f32.wasm", "k//k_f32.wasm", "./k_f32.wasm", ""]
    {
        assert_eq!(refused(|it| it.kernels[0].path = path.into()), Rejected::UnsafePath { path: path.into() });
    }
    for path in ["k_f32.wasm", "k/other.wasm", "k/k_f32.wat", "k/k_f32.wasm.wasm", "k/xk_f32.wasm"] {
        let expected = KernelFault::PathDisagrees { path: path.into(), id: "k_f32".into() };
        assert_eq!(fault(|kernel| kernel.path = path.into()), expected);
    }
}

#[test]
fn the_entry_of_a_kernel_is_checked() {
    let bad = |what, name: &str| KernelFault::BadName { what, name: name.into() };
    let rename = |id: &'static str| {
        move |it: &mut Manifest| {
            it.fallbacks.clear();
            it.kernels[0].id = id.into();
        }
    };
    for id in ["", "1k", "a.b", "kernel with spaces"] {
        let expected = Rejected::Kernel { kernel: id.into(), fault: bad("kernel", id) };
        assert_eq!(refused(rename(id)), expected);
    }
    assert_eq!(fault(|kernel| kernel.entry_point = "a b".into()), bad("entry point", "a b"));
    for name in exports::STANDARD {
        let expected = KernelFault::ReservedEntryPoint { name: name.into() };
        assert_eq!(fault(|kernel| kernel.entry_point = name.into()), expected);
    }
    let long = "x".repeat(65_536);
    for (field, set) in [
        ("name", (|kernel, text| kernel.name = text) as fn(&mut Kernel, String)),
        ("description", |kernel, text| kernel.description = text),
        ("category", |kernel, text| kernel.category = text),
    ] {
        let size = 65_536;
        assert_eq!(fault(|kernel| set(kernel, long.clone())), KernelFault::TextTooLong { field, size });
        for text in ["a\u{7}", "a\u{2066}"] {
            let expected = KernelFault::ControlCharacters { field, text: text.into() };
            assert_eq!(fault(|kernel| set(kernel, text.into())), expected);
        }
    }
    for pages in [0, 65_537] {
        let expected = KernelFault::MemoryLimit { pages };
        assert_eq!(fault(|kernel| kernel.resource_limits.max_memory_pages = pages), expected);
    }
    assert_eq!(fault(|kernel| kernel.resource_limits.max_epoch_ticks = 0), KernelFault::TickLimit);
    for instances in [0, 4097] {
        let expected = KernelFault::InstanceLimit { instances };
        assert_eq!(fault(|kernel| kernel.resource_limits.max_instances = instances), expected);
    }
    for bytes in [0, 32_768, 65_537, 100_000, 1 << 25, u32::MAX] {
        let expected = KernelFault::StackLimit { bytes };
        assert_eq!(fault(|kernel| kernel.resource_limits.max_stack_bytes = bytes), expected);
    }
}

#[test]
fn platforms_and_benchmarks_are_checked() {
    let bad = |name: &str| KernelFault::BadPlatform { name: name.into() };
    let platform = |kernel: &Kernel| kernel.platforms["wamr"].clone();
    assert_eq!(fault(|kernel| drop(kernel.platforms.insert("WAMR 2".into(), platform(kernel)))), bad("WAMR 2"));
    let feature = |name: &'static str| {
        move |kernel: &mut Kernel| kernel.platforms.get_mut("wasmtime").unwrap().features.push(name.into())
    };
    assert_eq!(fault(feature("")), bad(""));
    assert_eq!(fault(feature("simd")), bad("simd"));
    for value in [-1.0, f64::NAN, f64::INFINITY] {
        let set = |kernel: &mut Kernel| kernel.benchmarks.values_mut().for_each(|it| it.latency_us = value);
        assert!(matches!(fault(set), KernelFault::BadBenchmark { .. }), "{value}");
        let set =
            |kernel: &mut Kernel| kernel.benchmarks.values_mut().for_each(|it| it.throughput_gflops = Some(value));
        assert!(matches!(fault(set), KernelFault::BadBenchmark { .. }), "{value}");
    }
    let name = "\u{1b}".to_owned();
    let expected = KernelFault::ControlCharacters { field: "benchmark", text: name.clone() };
    assert_eq!(fault(|kernel| _ = kernel.benchmarks.insert(name, kernel.benchmarks["rows_64_dim_4096"])), expected);
}

#[test]
fn modules_for_single_engines_are_files_of_their_own() {
    let set = |path: &'static str| {
        move |it: &mut Manifest| {
            it.kernels[0].platforms.get_mut("wamr").unwrap().module.as_mut().unwrap().path = path.into();
        }
    };
    for path in ["k/k_f32.simd-128.wasm", "k/k_f32.2.wasm"] {
        let mut manifest = manifest();
        set(path)(&mut manifest);
        assert_eq!(manifest.validate(), Ok(()), "{path}");
        assert_eq!(manifest.files().collect::<Vec<_>>()[..2], ["k/k_f32.wasm", path]);
        assert_eq!(Manifest::parse(&manifest.to_json()), Ok(manifest));
    }
    for path in [
        "k/k_f32.wasm",
        "k/k_f32..wasm",
        "k/k_f32.Scalar.wasm",
        "k/k_f32.a.b.wasm",
        "k/k_f32.a/b.wasm",
        "k/k_f32.a_b.wasm",
        "k/k_f32scalar.wasm",
        "k/k_f64.scalar.wasm",
        "l/k_f32.scalar.wasm",
        "k_f32.scalar.wasm",
        "k/k_f32.scalar.aot",
        "k/k_f32.scalar.wasm.wasm",
        "kernels.json",
        "health/k_f32.safetensors",
    ] {
        let fault = KernelFault::VariantPath { engine: "wamr".into(), path: path.into(), stem: "k/k_f32".into() };
        assert_eq!(refused(set(path)), Rejected::Kernel { kernel: "k_f32".into(), fault }, "{path}");
    }
    for path in ["../k/k_f32.scalar.wasm", "/k/k_f32.scalar.wasm", "k/k_f32.scalar.wasm/", ""] {
        assert_eq!(refused(set(path)), Rejected::UnsafePath { path: path.into() });
    }
    assert_eq!(
        refused(set("k/k_f32.wasm")).to_string(),
        "kernel \"k_f32\": the module \"k/k_f32.wasm\" for wamr must be called \"k/k_f32.VARIANT.wasm\", where VARIANT \
         is a plain word"
    );
    // Nor do two engines share one, since the manifest says of each file what it is once.
    let shared = |it: &mut Manifest| {
        let module = it.kernels[0].platforms["wamr"].module.clone();
        it.kernels[0].platforms.get_mut("wasmtime").unwrap().module = module;
    };
    assert!(matches!(refused(shared), Rejected::DuplicatePath { path, .. } if path == "k/k_f32.scalar.wasm"));
    // Kernels whose names differ in case alone, without their own modules in one folder.
    let upper = |it: &mut Manifest| {
        let platforms = it.kernels[0].platforms.clone();
        let kernel = &mut it.kernels[1];
        (kernel.id, kernel.path, kernel.platforms) = ("K_F32".into(), "K/K_F32.wasm".into(), platforms);
        kernel.platforms.get_mut("wamr").unwrap().module.as_mut().unwrap().path = "K/K_F32.scalar.wasm".into();
    };
    assert!(matches!(refused(upper), Rejected::DuplicatePath { .. }));
}

#[test]
fn names_differ_within_a_pass() {
    let duplicate = |name: &str| KernelFault::DuplicateName { name: name.into() };
    assert_eq!(fault(|kernel| kernel.outputs[1].name = "x".into()), duplicate("x"));
    assert_eq!(fault(|kernel| kernel.scratch[0].name = "eps".into()), duplicate("eps"));
    assert_eq!(fault(|kernel| kernel.inputs[0].name = "rows".into()), duplicate("rows"));
    let bad = |what, name: &str| KernelFault::BadName { what, name: name.into() };
    assert_eq!(fault(|kernel| kernel.inputs[0].name = "x y".into()), bad("tensor", "x y"));
    assert_eq!(fault(|kernel| kernel.inputs[0].shape[0] = Extent::Symbol("9".into())), bad("symbol", "9"));
    let rename = |kernel: &mut Kernel| {
        let param = kernel.params.remove("eps").unwrap();
        kernel.params.insert("e-p-s".into(), param);
    };
    assert_eq!(fault(rename), bad("parameter", "e-p-s"));
    let backward = |kernel: &mut Kernel| kernel.backward.as_mut().unwrap().outputs[0].name = "dy".into();
    assert_eq!(fault(backward), KernelFault::Backward(Box::new(duplicate("dy"))));
}

#[test]
fn indices_count_from_zero_without_a_gap() {
    let bad = |what, name: &str, index, count| KernelFault::BadIndex { what, name: name.into(), index, count };
    assert_eq!(fault(|kernel| kernel.inputs[1].index = 0), bad("tensor", "weight", 0, 5));
    assert_eq!(fault(|kernel| kernel.outputs[1].index = 5), bad("tensor", "y", 5, 5));
    assert_eq!(fault(|kernel| kernel.scratch[0].index = u32::MAX), bad("tensor", "tmp", u32::MAX, 5));
    let param = |kernel: &mut Kernel| kernel.params.get_mut("eps").unwrap().index = 1;
    assert_eq!(fault(param), bad("parameter", "eps", 1, 4));
}

#[test]
fn an_in_out_tensor_stands_twice_and_the_same() {
    let disagrees = KernelFault::InOutDisagrees { name: "state".into() };
    assert_eq!(fault(|kernel| drop(kernel.inputs.pop())), disagrees);
    assert_eq!(fault(|kernel| drop(kernel.outputs.remove(0))), disagrees);
    assert_eq!(fault(|kernel| kernel.outputs[0].shape.clear()), disagrees);
    assert_eq!(fault(|kernel| kernel.outputs[0].index = 4), disagrees);
    assert_eq!(fault(|kernel| kernel.inputs[2].inout = false), disagrees);
    assert_eq!(fault(|kernel| kernel.inputs.push(kernel.inputs[2].clone())), disagrees);
    let optional = |kernel: &mut Kernel| {
        kernel.inputs[2].optional = true;
        kernel.outputs[0].optional = true;
    };
    assert_eq!(fault(optional), KernelFault::OptionalOutput { name: "state".into() });
    let optional = KernelFault::OptionalOutput { name: "y".into() };
    assert_eq!(fault(|kernel| kernel.outputs[1].optional = true), optional);
}

#[test]
fn shapes_and_lengths_are_bounded() {
    let too_many = |what, count, limit| KernelFault::TooMany { what, count, limit };
    let axes = |kernel: &mut Kernel| kernel.inputs[0].shape = vec![Extent::Fixed(1); 9];
    assert_eq!(fault(axes), too_many("axes", 9, 8));
    let tensors = |kernel: &mut Kernel| {
        let extra = |index| Tensor { name: format!("t{index}"), index, ..kernel.inputs[0].clone() };
        kernel.inputs.extend((5..17).map(extra).collect::<Vec<_>>());
    };
    assert_eq!(fault(tensors), too_many("tensors", 17, 16));
    let symbols = |kernel: &mut Kernel| {
        for at in 0..2 {
            kernel.inputs[at].shape = (0..8).map(|axis| Extent::Symbol(format!("s{at}_{axis}"))).collect();
        }
    };
    assert_eq!(fault(symbols), too_many("symbols", 18, 16));
    let params = |kernel: &mut Kernel| {
        let param = |index| Param { ty: ParamType::U32, default: None, index };
        kernel.params = (0..33).map(|index| (format!("p{index}"), param(index))).collect();
    };
    assert_eq!(fault(params), too_many("parameters", 33, 32));
    // In-out tensors of the outputs are no rows of their own, but must not be too many either.
    let inout = |kernel: &mut Kernel| kernel.outputs = vec![kernel.outputs[0].clone(); 17];
    assert_eq!(fault(inout), too_many("tensors", 17, 16));
    let zero = |kernel: &mut Kernel| kernel.inputs[0].shape[0] = Extent::Div("rows".into(), 0);
    assert_eq!(fault(zero), KernelFault::ZeroFactor { name: "x".into() });
    let unknown = |kernel: &mut Kernel| {
        kernel.scratch[0] = Scratch { len: "2*gone".parse().unwrap(), ..kernel.scratch[0].clone() }
    };
    assert_eq!(fault(unknown), KernelFault::UnknownSymbol { name: "tmp".into(), symbol: "gone".into() });
}

#[test]
fn defaults_are_of_their_type() {
    let with = |value| {
        let mut manifest = manifest();
        manifest.kernels[0].params.get_mut("eps").unwrap().default = Some(value);
        manifest
    };
    for value in [ParamValue::U32(1), ParamValue::F32(f32::NAN), ParamValue::F32(f32::NEG_INFINITY)] {
        let fault = KernelFault::BadDefault { name: "eps".into(), ty: "f32" };
        assert_eq!(with(value).validate(), Err(Rejected::Kernel { kernel: "k_f32".into(), fault }));
    }
    // A manifest that was not validated can be written too, but does not read back.
    assert!(Manifest::parse(&with(ParamValue::F32(f32::NAN)).to_json()).is_err());
}

/// A manifest of nearly the largest size, in which `from` is replaced by as many items as fit, must be refused as fast
/// as any other: each of these ran for minutes when lists were searched before they were counted.
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

#[test]
fn health_vectors_are_checked() {
    let vector = |change: &dyn Fn(&mut HealthEntry)| match refused(|it| change(&mut it.kernels[0].health[0])) {
        Rejected::Vector { kernel, path, fault } => {
            assert_eq!((kernel.as_str(), path.starts_with("health/")), ("k_f32", fault != VectorFault::BadPath));
            fault
        }
        other => panic!("{other}"),
    };
    for path in ["health.safetensors", "k/k.safetensors", "health/a/b.safetensors", "health/.safetensors", "health/a"] {
        let found = refused(|it| it.kernels[0].health[0].path = path.into());
        assert!(matches!(found, Rejected::Vector { fault: VectorFault::BadPath, .. }), "{path}: {found}");
    }
    for path in ["../health/a.safetensors", "/health/a.safetensors", "health/../a.safetensors", "health//a.safetensors"]
    {
        let found = refused(|it| it.kernels[0].health[0].path = path.into());
        assert!(matches!(found, Rejected::UnsafePath { .. }), "{path}: {found}");
    }
    for tolerance in [-1e-9, 1.0, f64::INFINITY] {
        assert_eq!(vector(&|it| it.tolerance = tolerance), VectorFault::BadTolerance { tolerance });
    }
    assert!(matches!(vector(&|it| it.tolerance = f64::NAN), VectorFault::BadTolerance { .. }));
    assert_eq!(
        vector(&|it| drop(it.params.insert("eps".into(), ParamValue::Bool(true).into()))),
        VectorFault::ParamType { param: "eps".into(), expected: ParamType::F32 }
    );
    assert_eq!(
        vector(&|it| drop(it.params.insert("offset".into(), ParamValue::I32(-1).into()))),
        VectorFault::ParamType { param: "offset".into(), expected: ParamType::U32 }
    );
    assert!(matches!(
        vector(&|it| drop(it.params.insert("epsilon".into(), ParamValue::F32(1.0).into()))),
        VectorFault::UnknownParam { param, .. } if param == "epsilon"
    ));

    let many = |count: usize| {
        move |it: &mut Manifest| {
            let first = it.kernels[0].health[0].clone();
            it.kernels[0].health = (0..count)
                .map(|at| HealthEntry { path: format!("health/v{at}.safetensors"), ..first.clone() })
                .collect();
        }
    };
    let mut most = manifest();
    many(16)(&mut most);
    assert_eq!(most.validate(), Ok(()));
    assert_eq!(most.files().count(), 20);
    assert!(refused(many(17)).to_string().contains("there are 17 health vectors, the limit is 16"));
    let twice = refused(|it| {
        let vector = HealthEntry {
            path: "health/K_F32.safetensors".into(),
            params: Default::default(),
            ..it.kernels[0].health[0].clone()
        };
        it.kernels[1].health.push(vector);
    });
    let (first, second) = ("k_f32".into(), "p_f32".into());
    assert_eq!(twice, Rejected::DuplicatePath { path: "health/K_F32.safetensors".into(), first, second });
}

#[test]
fn compiled_files_are_checked() {
    let aot = |change: &dyn Fn(&mut Vec<AotFile>)| {
        let mut manifest = manifest();
        change(&mut manifest.kernels[0].platforms.get_mut("wamr").unwrap().aot);
        match manifest.validate() {
            Err(Rejected::Kernel { kernel, fault }) if kernel == "k_f32" => Err(fault),
            Ok(()) => Ok(()),
            Err(other) => panic!("{other}"),
        }
    };
    let target = AotTarget::X86_64;
    let own = Digest::of(&crate::samples::full_module());
    assert_eq!(aot(&|files| files[0].source = own), Ok(()));
    assert_eq!(aot(&|files| files[0].source = Digest::of(b"")), Err(KernelFault::StaleAot { target }));
    assert_eq!(aot(&|files| files.push(files[0].clone())), Err(KernelFault::DuplicateAot { target }));
    for path in ["k/k_f32.aarch64.aot", "k/k_f32.x86_64.wasm", "k/k_f64.x86_64.aot", "k_f32.x86_64.aot", ""] {
        let fault = KernelFault::AotPath { target, path: path.into(), stem: "k/k_f32".into() };
        assert_eq!(aot(&|files| files[0].path = path.into()), Err(fault));
    }
    for check in crate::AOT_CHECKS {
        let without = |files: &mut Vec<AotFile>| files[0].options.retain(|option| option != check);
        assert_eq!(aot(&without), Err(KernelFault::UncheckedAot { target, check }));
    }
    for option in ["", "opt level", "CPU=x", "bounds-checks", &"a".repeat(65)] {
        let fault = KernelFault::BadAotOption { target, option: option.into() };
        assert_eq!(aot(&|files| files[0].options.push(option.into())), Err(fault));
    }
    let many = |files: &mut Vec<AotFile>| files[0].options.extend((0..29).map(|at| format!("a{at}")));
    assert_eq!(aot(&many), Err(KernelFault::BadAotOption { target, option: "a28".into() }));
    // Another machine's may stand beside it.
    let another = |files: &mut Vec<AotFile>| {
        let (target, path) = (AotTarget::Thumbv7, "k/k_f32.thumbv7.aot".into());
        files.push(AotFile { target, path, ..files[0].clone() });
    };
    assert_eq!(aot(&another), Ok(()));
}
