//! Runs the functions of a real crate on this machine.

#[cfg(unix)]
mod linker;

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use kernelpack_abi::{
    DType, Dim, Expr, KernelSpec, Lifecycle, ParamSpec, ParamType, ParamValue, ResourceLimits, Role, Signature,
    SignatureBuf, Status, TensorSpec,
};
use safetensors::{Dtype, tensor::TensorView};

use super::*;

const fn tensor(name: &'static str, role: Role) -> TensorSpec<'static> {
    TensorSpec { name, dtype: DType::F32, role, optional: false, dims: &[Dim::Symbol(0)], len: Expr(&[]) }
}

const fn spec(id: &'static str, signature: Signature<'static>) -> KernelSpec<'static> {
    KernelSpec {
        id,
        name: id,
        description: "",
        category: "test",
        family: "test",
        entry_point: "test_forward",
        fallback: "",
        limits: ResourceLimits { max_memory_pages: 64, ..ResourceLimits::DEFAULT },
        lifecycle: Lifecycle { init: false, cleanup: false },
        forward: signature,
        backward: None,
        split: &[],
    }
}

const BOTH: [TensorSpec<'static>; 2] = [tensor("x", Role::In), tensor("y", Role::Out)];
const PLAIN: Signature<'static> = Signature { symbols: &["n"], tensors: &BOTH, params: &[] };
const SCALES: KernelSpec<'static> = spec(
    "scales_f32",
    Signature { params: &[ParamSpec { name: "by", ty: ParamType::F32, default: Some(ParamValue::F32(2.0)) }], ..PLAIN },
);

fn project() -> Project {
    Project::find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/unwell"), None).unwrap()
}

/// Copies the project's description to another folder with these vectors.
fn project_with(folder: &Path, vectors: &[(&str, Vec<u8>)]) -> Project {
    fs::create_dir_all(folder.join("health")).unwrap();
    for (name, bytes) in vectors {
        fs::write(folder.join("health").join(name), bytes).unwrap();
    }
    Project { manifest: folder.join("Cargo.toml"), ..project() }
}

fn file(tensors: &[(&str, &[f32])], metadata: &[(&str, &str)]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, values), bytes)| {
        (name.to_string(), TensorView::new(Dtype::F32, vec![values.len()], bytes).unwrap())
    });
    let metadata = metadata.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    safetensors::serialize(views, Some(metadata)).unwrap()
}

fn given(vectors: &[(&str, Vec<u8>)]) -> Result<Vec<Vec<Given>>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let kernels = [KernelSpecBuf::from(&SCALES)];
    given::read(&project_with(folder.path(), vectors), &kernels.iter().collect::<Vec<_>>())
        .map_err(|error| error.to_string().replace(&path, ""))
}

#[test]
fn vectors_of_the_author_are_read_and_written_anew() {
    let tensors: &[(&str, &[f32])] = &[("out.y", &[3.0, -6.0]), ("in.x", &[1.0, -2.0])];
    let bare = file(&[tensors[1], tensors[0]], &[]);
    let with = file(tensors, &[("tolerance", "0.25"), ("param.by", "3"), ("format", "pt")]);
    let read = given(&[("scales_f32.safetensors", bare), ("scales_f32-b.c.safetensors", with), ("make.py", vec![0])]);
    let read = read.unwrap().remove(0);
    let entries: Vec<_> = read.iter().map(|given| (given.entry.path.as_str(), given.entry.tolerance)).collect();
    assert_eq!(entries, [("health/scales_f32-b.c.safetensors", 0.25), ("health/scales_f32.safetensors", 1e-5)]);
    assert_eq!(read[0].entry.params["by"].to_value(ParamType::F32), Some(ParamValue::F32(3.0)));
    assert_eq!(read[0].entry.hash, read[1].entry.hash, "the same tensors are other bytes");
    assert_eq!(given(&[]).unwrap(), [const { Vec::<Given>::new() }]);
}

#[test]
fn wrong_vectors_of_the_author_are_refused_with_file_and_remedy() {
    let refused = |name: &str, tensors: &[(&str, &[f32])], metadata: &[(&str, &str)]| {
        given(&[(name, file(tensors, metadata))]).unwrap_err()
    };
    let good: &[(&str, &[f32])] = &[("in.x", &[1.0]), ("out.y", &[2.0])];
    for name in ["scales.safetensors", "scales_f32_b.safetensors", ".safetensors", "scales_f32-a b.safetensors"] {
        assert_eq!(
            refused(name, good, &[]),
            format!(
                "/health/{name} is not named after a kernel of the crate: call it KERNEL.safetensors or \
                 KERNEL-ANYTHING.safetensors, with letters, digits, '_', '.' and '-' only; the kernels are scales_f32"
            )
        );
    }
    let name = "scales_f32-a.safetensors";
    let no_vector = "/health/scales_f32-a.safetensors is not a health vector of \"scales_f32\": ";
    for (tensors, reason) in [
        (&[good[0]][..], "it has no tensor \"out.y\"; add it"),
        (
            &[good[0], ("out.z", &[2.0])],
            "it has the tensor \"out.z\", which the kernel does not; the kernel's tensors: in.x, out.y",
        ),
        (&[good[0], ("out.y", &[2.0, 3.0])], "output \"y\" needs n = 1 along axis 0, not 2"),
    ] {
        assert_eq!(refused(name, tensors, &[]), format!("{no_vector}{reason}"));
    }
    for (key, value, reason) in [
        ("tolerance", "low", "\"low\" is not a number such as 1e-5"),
        ("tolerence", "0", "unknown key; the known keys are tolerance and param.NAME"),
        ("param.by", "two", "\"two\" is not a finite f32"),
        ("param.by", "inf", "\"inf\" is not a finite f32"),
        ("param.to", "2", "the kernel has no parameter \"to\"; it has by"),
    ] {
        assert_eq!(
            refused(name, good, &[(key, value)]),
            format!("/health/scales_f32-a.safetensors, metadata {key:?}: {reason}")
        );
    }
    assert!(refused(name, good, &[("tolerance", "1.5")]).contains("the tolerance is 1.5; choose one from 0 (bit"));
    let said = given(&[(name, b"none".to_vec())]).unwrap_err();
    assert!(said.starts_with(&format!("{no_vector}it is not a safetensors file: ")), "{said}");
    let said = given(&[(name, vec![0; MAX_HEALTH_BYTES + 1])]).unwrap_err();
    assert_eq!(said, "cannot read the vector /health/scales_f32-a.safetensors: it has more than 4194304 bytes");
}

#[test]
fn functions_are_asked_in_a_process_of_their_own() {
    let mut cargo = Vec::new();
    let limit = Duration::from_secs(60);
    let program = link(&Features::default(), limit, &mut |event| cargo.push(event))
        .unwrap_or_else(|error| panic!("{error}: {cargo:?}"));
    let ask = |id: &'static str| {
        let kernel = KernelSpecBuf::from(&KernelSpec { id, ..spec(id, PLAIN) });
        let asked = inputs::make(&kernel.forward, Attempt::ALL[3], false).unwrap();
        program.answer(&kernel, &asked.vector).unwrap()
    };
    let answered = ask("differs").unwrap();
    let y: Vec<f32> = answered[0].bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert!(y.len() == 2 && y.iter().all(|y| *y < 0.0), "{y:?}");
    assert_eq!(
        ask("refuses_always"),
        Err(NoAnswer::Refused { status: Status::NotImplemented, message: "neither 2 nor 2 elements".into() })
    );
    assert_eq!(ask("unknown"), Err(NoAnswer::Unregistered));
    let panicked = ask("panics_always").unwrap_err().to_string();
    assert!(panicked.starts_with("ended its process (exit status: 101): panicked at "), "{panicked}");
    assert!(panicked.ends_with("2 elements are too many"), "{panicked}");
    // These kernels have another signature than the call.
    assert!(matches!(ask("aborts"), Err(NoAnswer::Refused { status: Status::InvalidParams, .. })));
    assert!(matches!(ask("scales_f32"), Err(NoAnswer::Refused { status: Status::InvalidParams, .. })));

    // Compares the author's expectations with the function.
    let kernel = KernelSpecBuf::from(&SCALES);
    let judge = |y: &[f32], metadata: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        let vector = file(&[("in.x", &[1.0, -2.0]), ("out.y", y)], metadata);
        let project = project_with(folder.path(), &[("scales_f32.safetensors", vector)]);
        let given = given::read(&project, &[&kernel]).unwrap().remove(0).remove(0);
        let mut events = Vec::new();
        let judged = check(&kernel, &given, Some(&program), &mut |event| events.push(event));
        assert_eq!(events, []);
        judged.map_err(|error| error.to_string().replace(&folder.path().display().to_string(), ""))
    };
    assert_eq!(judge(&[2.0, -4.0], &[]), Ok(()));
    assert_eq!(judge(&[3.0, -6.0], &[("param.by", "3")]), Ok(()));
    assert_eq!(judge(&[2.0, -4.1], &[("tolerance", "0.1")]), Ok(()));
    assert_eq!(
        judge(&[2.0, -4.1], &[]).unwrap_err(),
        "/health/scales_f32.safetensors disagrees with what the function of \"scales_f32\" returns: element 1 of \"y\" is \
         -4.0, expected -4.1 within 4.1e-5; correct one of the two, or raise the tolerance, which is 1e-5"
            .replace("within 4.1e-5", &format!("within {:e}", 1e-5 * f64::from(4.1f32)))
    );
    // No tolerance is large enough.
    for (y, says) in [
        (
            [0.0, 0.0],
            "is 2.0, expected 0.0 exactly, since the tolerance is relative and the expected values are all zero",
        ),
        ([f32::INFINITY, -4.0], "is 2.0, expected inf bit for bit"),
        ([2.0, 4.0], "is -4.0, expected 4.0 within 4e-5"),
    ] {
        let said = judge(&y, &[]).unwrap_err();
        assert!(said.ends_with(&format!("{says}; correct one of the two")), "{said}");
    }
    assert!(judge(&[2.0, -4.1], &[("tolerance", "0")]).unwrap_err().ends_with("or raise the tolerance, which is 0.0"));
    assert_eq!(
        judge(&[0.0, 0.0], &[("param.by", "0")]).unwrap_err(),
        "/health/scales_f32.safetensors is not a call that \"scales_f32\" accepts: its function failed with INVALID_PARAMS: by \
         must not be 0"
    );

    // A function that depends on an instance's initialization cannot be run, which is not the author's fault.
    let born = KernelSpecBuf { lifecycle: Lifecycle { init: true, cleanup: false }, ..kernel.clone() };
    let folder = tempfile::tempdir().unwrap();
    let vector = file(&[("in.x", &[1.0]), ("out.y", &[7.0])], &[("param.by", "2")]);
    let project = project_with(folder.path(), &[("scales_f32.safetensors", vector)]);
    let given = given::read(&project, &[&born]).unwrap().remove(0).remove(0);
    let mut events = Vec::new();
    check(&born, &given, Some(&program), &mut |event| events.push(event)).unwrap();
    assert!(matches!(&events[..], [Event::Warning(Warning::UncheckedVector { .. })]), "{events:?}");

    // Without initialization, its results are not used for a vector.
    let (mut events, mut vectors) = (Vec::new(), BTreeMap::new());
    make(&project, &born, Some(&program), &mut vectors, &mut |event| events.push(event)).unwrap();
    assert!(vectors.is_empty());
    assert!(matches!(&events[..], [Event::Warning(Warning::NoVector { .. })]), "{events:?}");
}

/// Links the fixture's program, for one test at a time: cargo gives the library the same name whatever its features
/// are, so a concurrent build would replace it before the program is linked.
fn link(features: &Features, limit: Duration, progress: &mut dyn FnMut(Event)) -> Result<Program, BuildError> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    Program::link(&project(), features, limit, &mut Diagnostics::default(), progress)
}

#[test]
fn a_function_that_does_not_end_is_stopped() {
    let features = Features { on: vec!["hangs".into()], no_default: false };
    let limit = Duration::from_millis(300);
    let program = link(&features, limit, &mut |_| {}).unwrap();
    let kernel =
        KernelSpecBuf::from(&spec("hangs", Signature { tensors: &const { [tensor("y", Role::Out)] }, ..PLAIN }));
    let mut events = Vec::new();
    let mut vectors = BTreeMap::new();
    make(&project(), &kernel, Some(&program), &mut vectors, &mut |event| events.push(event)).unwrap();
    assert!(vectors.is_empty());
    let [Event::Warning(warning)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(
        warning.to_string(),
        "cannot make \"health/hangs.safetensors\" for \"hangs\": on generated inputs its function did not return within \
         300ms; add a vector of your own to the crate as \"health/hangs.safetensors\", or hosts cannot tell whether the \
         kernel works"
    );
}

#[test]
fn a_crate_for_the_sandbox_alone_says_how_to_go_on() {
    let features = Features { on: vec![], no_default: true };
    let mut said = Vec::new();
    let error = link(&features, Duration::MAX, &mut |event| said.push(event)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the functions of \"kernelpack-fixture-unwell\" cannot be run on this machine to make health vectors: the crate \
         does not compile for it, see the messages above; if the crate only works in WebAssembly, build it with \
         --no-health"
    );
    assert!(said.iter().any(|event| matches!(event, Event::Cargo { line } if line.contains("WebAssembly alone"))));
}

#[test]
fn made_up_calls_are_small_and_the_same_each_time() {
    let signature = SignatureBuf::from(&Signature {
        symbols: &["rows", "dim", "blocks"],
        tensors: &[
            TensorSpec { dims: &[Dim::Symbol(0), Dim::Symbol(1)], ..tensor("x", Role::In) },
            TensorSpec { dims: &[Dim::Div(1, 6), Dim::Fixed(3)], optional: true, ..tensor("w", Role::In) },
            TensorSpec { dims: &[Dim::Div(1, 4)], dtype: DType::Q8_0, ..tensor("q", Role::InOut) },
            TensorSpec { dims: &[Dim::Symbol(0), Dim::Mul(2, 32)], dtype: DType::F16, ..tensor("y", Role::Out) },
        ],
        params: &[ParamSpec { name: "k", ty: ParamType::I32, default: None }],
    });
    let shapes = |attempt, with| {
        let asked = inputs::make(&signature, attempt, with).unwrap();
        assert_eq!(asked.vector, inputs::make(&signature, attempt, with).unwrap().vector);
        let shapes = asked.inputs.iter().chain(asked.vector.expected()).map(|tensor| tensor.shape.to_string());
        shapes.collect::<Vec<_>>()
    };
    // dim is the first multiple of 12 from 161 up, blocks · 32 is about as large, and rows is small and differs from
    // the others.
    assert_eq!(shapes(Attempt::ALL[0], false), ["2x168", "42", "42", "2x192"]);
    assert_eq!(shapes(Attempt::ALL[0], true), ["2x168", "28x3", "42", "42", "2x192"]);
    assert_eq!(shapes(Attempt::ALL[3], false), ["2x12", "3", "3", "2x96"]);

    let asked = inputs::make(&signature, Attempt::ALL[0], false).unwrap();
    assert_eq!(asked.params, [("k", ParamValue::I32(1))]);
    let x: Vec<f32> = asked.inputs[0].bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert!(x.iter().all(|x| x.abs() <= 1.0) && x.contains(&0.0) && x.iter().any(|x| *x < -0.5));
    for block in asked.inputs[1].bytes.chunks_exact(34) {
        let scale = half::f16::from_le_bytes([block[0], block[1]]).to_f32();
        assert!((0.003..0.01).contains(&scale), "{scale}");
    }
    let huge = SignatureBuf::from(&Signature {
        tensors: &const { [TensorSpec { dims: &[Dim::Fixed(1 << 30)], ..tensor("y", Role::Out) }] },
        ..PLAIN
    });
    assert!(Attempt::ALL.iter().all(|attempt| inputs::make(&huge, *attempt, false).is_none()));
}
