use super::*;

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
    assert!(refused(many(17)).to_string().contains("there are 17 health vectors, more than the limit of 16"));
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
    // A file for another machine is allowed.
    let another = |files: &mut Vec<AotFile>| {
        let (target, path) = (AotTarget::Thumbv7, "k/k_f32.thumbv7.aot".into());
        files.push(AotFile { target, path, ..files[0].clone() });
    };
    assert_eq!(aot(&another), Ok(()));
}
