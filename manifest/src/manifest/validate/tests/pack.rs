use super::*;

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
    assert_eq!(reversed, "the pack's name contains control characters: \"kernels\\u{202e}\"; remove them");
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
