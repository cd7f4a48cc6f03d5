use super::*;

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
    // Two engines cannot share a module either, since the manifest describes each file once.
    let shared = |it: &mut Manifest| {
        let module = it.kernels[0].platforms["wamr"].module.clone();
        it.kernels[0].platforms.get_mut("wasmtime").unwrap().module = module;
    };
    assert!(matches!(refused(shared), Rejected::DuplicatePath { path, .. } if path == "k/k_f32.scalar.wasm"));
    // Gives two kernels names that differ only in case, although their own modules are in different folders.
    let upper = |it: &mut Manifest| {
        let platforms = it.kernels[0].platforms.clone();
        let kernel = &mut it.kernels[1];
        (kernel.id, kernel.path, kernel.platforms) = ("K_F32".into(), "K/K_F32.wasm".into(), platforms);
        kernel.platforms.get_mut("wamr").unwrap().module.as_mut().unwrap().path = "K/K_F32.scalar.wasm".into();
    };
    assert!(matches!(refused(upper), Rejected::DuplicatePath { .. }));
}
