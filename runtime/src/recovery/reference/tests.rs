use std::panic::panic_any;

use kernelpack_abi::{KernelSpec, ResourceLimits, Result, Signature};

use super::*;

const SPEC: KernelSpec<'static> = KernelSpec {
    id: "nothing",
    name: "nothing",
    description: "",
    category: "test",
    family: "test",
    entry_point: "nothing_forward",
    fallback: "nothing_reference",
    limits: ResourceLimits::DEFAULT,
    lifecycle: Lifecycle { init: false, cleanup: false },
    forward: Signature { symbols: &[], tensors: &[], params: &[] },
    backward: None,
    split: &[],
};

fn succeeds(_: &mut [TensorArg<'_>], _: &[u8]) -> Result<()> {
    Ok(())
}

fn with(lifecycle: Lifecycle) -> NativeKernel {
    let spec = Box::leak(Box::new(KernelSpec { lifecycle, ..SPEC }));
    NativeKernel { spec, package: "test", forward: succeeds, backward: None }
}

#[test]
fn what_keeps_something_from_call_to_call_has_no_reference_on_either_side() {
    let stateless = Lifecycle::default();
    let find = |pack: Lifecycle, linked: Lifecycle| {
        let spec = KernelSpecBuf { lifecycle: pack, ..KernelSpecBuf::from(&SPEC) };
        Reference::find(&spec, "test 1.0.0", &[with(linked)], &[]).map(|found| found.package())
    };
    assert_eq!(find(stateless, stateless), Ok("test"));
    for (init, cleanup) in [(true, false), (false, true), (true, true)] {
        let keeps = Lifecycle { init, cleanup };
        assert!(matches!(find(keeps, keeps), Err(NoReference::Missing(_))), "{keeps:?}");
        assert!(matches!(find(keeps, stateless), Err(NoReference::Missing(_))), "{keeps:?}");
        let Err(NoReference::Differs(reason)) = find(stateless, keeps) else { panic!("{keeps:?} was taken") };
        assert!(reason.ends_with("has an `init` or a `cleanup`, but the pack's kernel does not"), "{reason}");
    }
    // A suitable reference is found even after an unsuitable one.
    let given = [with(Lifecycle { init: true, cleanup: false }), with(stateless)];
    Reference::find(&KernelSpecBuf::from(&SPEC), "test 1.0.0", &given, &[]).unwrap();
}

#[test]
fn nothing_that_a_function_panics_with_reaches_the_caller() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    fn explodes(_: &mut [TensorArg<'_>], _: &[u8]) -> Result<()> {
        panic_any(Bomb)
    }
    let reference = Reference(NativeKernel { forward: explodes, ..with(Lifecycle::default()) });
    let error = reference.run_on_copies(Export::Forward, &mut [], &[]).unwrap_err();
    assert!(error.to_string().contains("panicked: with something that is not text"), "{error}");
}
