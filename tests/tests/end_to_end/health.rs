//! Tests health vectors: generated ones, ones given by the author, altered and hostile ones, from the crate to the
//! sandbox. The packer generates vectors, so one engine is enough to check those.

use std::{collections::BTreeMap, fs, time::Duration};

use kernelpack_abi::{DType, ParamValue, Shape, Signature, TensorView};
use kernelpack_host::{
    Error, Pack,
    error::{KernelError, Rejected, ResourceError},
    health::{HealthError, HealthFault, Unhealthy},
    policy::{PoolPolicy, WhenFull},
};
use kernelpack_manifest::{Digest, HealthEntry, HealthVector, MAX_HEALTH_BYTES, NamedTensor, VectorFault};
use kernelpack_packer::{BuildOptions, Event, Features, Health, Signing, Warning, build};
use kernelpack_tests::{
    apply,
    engine::Engine,
    on_both_engines, on_each_engine,
    pack::{self, Copy},
};

use crate::wat_kernel::{Parts, SPEC};

fn floats(name: &str, values: &[f32]) -> NamedTensor {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    NamedTensor { name: name.into(), dtype: DType::F32, shape: Shape::new(&[values.len()]).unwrap(), bytes }
}

/// Returns a vector of the hand-written kernel, with the expected result for 1 and 2.
fn vector(y: [f32; 2], mode: i32) -> (Vec<u8>, BTreeMap<String, kernelpack_manifest::HealthParam>) {
    let params = [("mode", ParamValue::I32(mode))];
    let vector = HealthVector::new(&SPEC.forward, vec![floats("x", &[1.0, 2.0])], vec![floats("y", &y)], &params);
    let params = params.map(|(name, value)| (name.to_owned(), value.into()));
    (vector.unwrap().to_bytes().unwrap(), params.into())
}

/// Returns a pack of the hand-written kernel with vectors.
fn wat_pack(parts: &Parts, vectors: &[([f32; 2], i32, f64)]) -> Copy {
    let files: Vec<_> = (0..)
        .zip(vectors)
        .map(|(at, &(y, mode, tolerance))| {
            let (bytes, params) = vector(y, mode);
            (
                HealthEntry { path: format!("health/v{at}.safetensors"), hash: Digest::of(&bytes), tolerance, params },
                bytes,
            )
        })
        .collect();
    let pack = parts.pack_with(|manifest| {
        manifest.kernels[0].health = files.iter().map(|(entry, _)| entry.clone()).collect();
    });
    for (entry, bytes) in files {
        pack.write(&entry.path, &bytes);
    }
    pack
}

/// Writes 3 and 4 to y. The table's second row starts 64 bytes into the block, after the header and a row.
const THREE_FOUR: &str = "(local.set $mode (i32.load offset=64 (i32.load offset=32 (local.get $descriptor))))
    (f32.store (local.get $mode) (f32.const 3)) (f32.store offset=4 (local.get $mode) (f32.const 4)) i32.const 0";

fn unhealthy(engine: Engine, pack: &Copy) -> Unhealthy {
    found(pack.open(engine).unwrap().check_health().unwrap_err())
}

/// Returns the reason why the pack is unhealthy.
fn found(error: HealthError) -> Unhealthy {
    match error {
        HealthError::Unhealthy(found) => *found,
        other => panic!("{other}"),
    }
}

#[apply(on_each_engine)]
fn all_core_kernels_are_healthy_to_the_bit(engine: Engine) {
    let report = engine.core_pack().check_health().unwrap();
    assert_eq!(report.unchecked, [""; 0]);
    let mut kernels: Vec<_> = report.checked.iter().map(|checked| checked.kernel.as_str()).collect();
    assert!(kernels.len() > 13, "{kernels:?}");
    kernels.dedup();
    assert_eq!(kernels.len(), 13, "{kernels:?}");
    assert!(report.checked.iter().all(|checked| checked.tolerance == 0.0), "{report:?}");
    assert_eq!(report.checked[0].vector, "health/kv_pack_q4.safetensors");
}

#[apply(on_both_engines)]
fn each_kernel_is_found_out_by_its_own_vector(engine: Engine) {
    // Every kernel's vector gets the smallest change: the last bit of one expected element.
    let copy = Copy::of(pack::core());
    let manifest = copy.manifest();
    for (at, kernel) in manifest.kernels.iter().enumerate() {
        let mut manifest = manifest.clone();
        let entry = &mut manifest.kernels[at].health[0];
        let good = copy.read(&entry.path);
        let mut altered = good.clone();
        // Outputs come last, except for f16 tensors in files with f32 ones, where the last byte belongs to an input.
        let file = safetensors::SafeTensors::deserialize(&good).unwrap();
        let (name, _) = file.iter().find(|(name, _)| name.starts_with("out.")).unwrap();
        let start = file.tensor(name).unwrap().data().as_ptr() as usize - good.as_ptr() as usize;
        altered[start] ^= 1;
        entry.hash = Digest::of(&altered);
        copy.write(&entry.path.clone(), &altered);
        copy.sign(&manifest.to_json());
        let found = unhealthy(engine, &copy);
        assert_eq!(found.kernel, kernel.id);
        assert!(matches!(&found.fault, HealthFault::WrongResult { mismatch, .. } if mismatch.index == 0), "{found}");
        copy.write(&manifest.kernels[at].health[0].path.clone(), &good);
    }
}

#[apply(on_both_engines)]
fn wrong_results_are_told_in_full(engine: Engine) {
    let parts = Parts::forward(THREE_FOUR);
    let report = wat_pack(&parts, &[([3.0, 4.0], 0, 0.0)]).open(engine).unwrap().check_health().unwrap();
    assert_eq!((report.checked.len(), report.unchecked.len()), (1, 0));
    let copy = wat_pack(&parts, &[([3.0, 4.0], 0, 0.0), ([3.0, 4.5], 0, 0.0)]);
    let version = copy.manifest().version;
    assert_eq!(
        unhealthy(engine, &copy).to_string(),
        format!(
            "pack \"kernelpack-core-kernels\" {version} is unhealthy: kernel \"wat_kernel\" fails its vector \
             \"health/v1.safetensors\": element 1 of \"y\" is 4.0, expected 4.5 bit for bit"
        )
    );
    let vectors = [([3.0, 4.5], 0, 0.0), ([3.0, 4.0], 0, 0.0), ([2.0, 4.0], 0, 0.0)];
    let found = unhealthy(engine, &wat_pack(&parts, &vectors));
    let others: Vec<_> = found.others.iter().map(|failed| failed.vector.as_str()).collect();
    let fine: Vec<_> = found.report.checked.iter().map(|checked| checked.vector.as_str()).collect();
    assert_eq!(
        (found.vector.as_str(), others, fine),
        ("health/v0.safetensors", vec!["health/v2.safetensors"], vec!["health/v1.safetensors"])
    );
    assert!(found.to_string().ends_with("element 0 of \"y\" is 3.0, expected 2.0 bit for bit"), "{found}");
    let tolerated = wat_pack(&parts, &[([3.0, 4.5], 0, 0.125)]);
    tolerated.open(engine).unwrap().check_health().unwrap();
    let found = unhealthy(engine, &wat_pack(&parts, &[([3.0, 4.5], 0, 0.0625)])).to_string();
    assert!(found.ends_with("is 4.0, expected 4.5 within 2.8125e-1 (tolerance 0.0625)"), "{found}");
}

#[apply(on_each_engine)]
fn traps_deadlines_and_refusals_are_unhealthy_and_the_pack_goes_on(engine: Engine) {
    let fault = |forward| {
        let copy = engine.ready(wat_pack(&Parts::forward(forward), &[([0.0; 2], 1, 0.0)]));
        let pack = copy.open(engine).unwrap();
        let found = found(pack.check_health().unwrap_err());
        assert_eq!(pack.check_health().unwrap_err().to_string(), found.to_string());
        found.fault
    };
    let trapped = |forward| match fault(forward) {
        HealthFault::Kernel(error) => error,
        other => panic!("{other}"),
    };
    assert_eq!(trapped("(if (local.get $mode) (then unreachable)) i32.const 0"), KernelError::Unreachable);
    assert_eq!(trapped("(loop $spin (br $spin)) unreachable"), KernelError::EpochDeadline);
    assert_eq!(trapped("i32.const 5"), KernelError::Returned { code: 5, message: None });
}

#[apply(on_each_engine)]
fn a_check_ends_when_its_time_is_over(engine: Engine) {
    let spins = Parts::forward("(loop $spin (br $spin)) unreachable");
    let pack = engine.ready(wat_pack(&spins, &[([0.0; 2], 0, 0.0)])).open(engine).unwrap();
    // The kernel may take five ticks.
    let error = found(pack.check_health_within(Duration::from_millis(20)).unwrap_err());
    assert!(matches!(error.fault, HealthFault::TimeLimit { .. }), "{error}");
    let error = pack.check_health_within(Duration::ZERO).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "the check exceeded its limit of 0ns; allow more time, or make the pack's vectors smaller or fewer"
        ),
        "{error}"
    );
}

#[apply(on_both_engines)]
fn a_check_leaves_no_instance_where_there_was_none(engine: Engine) {
    let pack = wat_pack(&Parts::forward(THREE_FOUR), &[([3.0, 4.0], 0, 0.0)]).open(engine).unwrap();
    let idle = || pack.occupancy().next().unwrap().1.idle;
    pack.check_health().unwrap();
    assert_eq!(idle(), 0);
    let x = TensorView::new(&[1.0, 2.0], &[2]).unwrap();
    drop(pack.kernel_named("wat_kernel").unwrap().prepare(&[("x", x.into())], &[]).unwrap());
    pack.check_health().unwrap();
    assert_eq!(idle(), 1);
}

#[apply(on_both_engines)]
fn a_pack_whose_instances_are_all_busy_is_not_unhealthy(engine: Engine) {
    let copy = wat_pack(&Parts::forward(THREE_FOUR), &[([3.0, 4.0], 0, 0.0)]);
    // The check ignores the policy's waiting time, both a short and a long one.
    for when_full in [WhenFull::Fail, WhenFull::Wait { timeout: None }] {
        let policy = PoolPolicy::new().size(1).when_full(when_full);
        let runtime = engine.builder().pool(policy).build().unwrap();
        let pack = runtime.open(copy.path()).unwrap();
        let x = TensorView::new(&[1.0, 2.0], &[2]).unwrap();
        let held = pack.kernel_named("wat_kernel").unwrap().prepare(&[("x", x.into())], &[]).unwrap();
        let error = pack.check_health_within(Duration::from_millis(20)).unwrap_err();
        let HealthError::Unchecked(unchecked) = &error else { panic!("{error}") };
        assert!(matches!(unchecked.error, ResourceError::Busy { limit: 1, .. }), "{error}");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while pack.occupancy().next().unwrap().1.waiting == 0 {
                    std::thread::yield_now();
                }
                drop(held);
            });
            pack.check_health().unwrap();
        });
    }
}

#[apply(on_both_engines)]
fn a_kernel_without_vectors_is_unchecked(engine: Engine) {
    let pack: Pack = Parts::default().open(engine);
    let report = pack.check_health().unwrap();
    assert_eq!((report.checked.len(), report.unchecked), (0, vec!["wat_kernel".to_owned()]));
}

fn rejected(engine: Engine, copy: &Copy) -> Rejected {
    match copy.open(engine) {
        Err(Error::Rejected(rejected)) => *rejected,
        other => panic!("{other:?}"),
    }
}

#[apply(on_both_engines)]
fn vectors_that_are_not_those_signed_are_refused(engine: Engine) {
    let (path, folder) = ("health/rmsnorm_f32.safetensors", "health");
    let changed = |change: &dyn Fn(&Copy)| {
        let copy = Copy::of(pack::core());
        change(&copy);
        rejected(engine, &copy)
    };
    let size = Copy::of(pack::core()).read(path).len();
    for at in [0, size / 2, size - 1] {
        let flipped = changed(&|copy| {
            let mut bytes = copy.read(path);
            bytes[at] ^= 1;
            copy.write(path, &bytes);
        });
        assert!(matches!(&flipped, Rejected::VectorMismatch { kernel, .. } if kernel == "rmsnorm_f32"), "{flipped}");
    }
    let missing = changed(&|copy| fs::remove_file(copy.path().join(path)).unwrap());
    assert_eq!(missing, Rejected::MissingFile { path: path.into() });
    let missing = changed(&|copy| fs::remove_dir_all(copy.path().join(folder)).unwrap());
    assert!(matches!(missing, Rejected::MissingFile { .. }), "{missing}");
    for surplus in ["health/more.safetensors", "health/more/x", "rope/rope_f32.safetensors"] {
        let found = changed(&|copy| copy.write(surplus, b"x"));
        assert!(matches!(&found, Rejected::UnexpectedFile { path } if surplus.starts_with(path)), "{found}");
    }
    let large = changed(&|copy| copy.write(path, &vec![0; MAX_HEALTH_BYTES + 1]));
    assert_eq!(large, Rejected::FileTooLarge { path: path.into(), limit: MAX_HEALTH_BYTES as u64 });
}

/// Signs the core pack with another file as the vector of `rmsnorm_f32`.
fn signed_with(bytes: &[u8]) -> Copy {
    let copy = Copy::of(pack::core());
    let mut manifest = copy.manifest();
    let kernel = manifest.kernels.iter_mut().find(|kernel| kernel.id == "rmsnorm_f32").unwrap();
    kernel.health[0].hash = Digest::of(bytes);
    copy.write("health/rmsnorm_f32.safetensors", bytes);
    copy.sign(&manifest.to_json());
    copy
}

#[apply(on_both_engines)]
fn signed_files_that_are_no_vectors_of_their_kernel_are_refused(engine: Engine) {
    let fault = |bytes: &[u8]| match rejected(engine, &signed_with(bytes)) {
        Rejected::Vector { kernel, fault, .. } if kernel == "rmsnorm_f32" => fault,
        other => panic!("{other}"),
    };
    let core = Copy::of(pack::core());
    assert!(matches!(fault(b"x"), VectorFault::NotSafetensors { .. }));
    assert!(matches!(fault(&[0xff; 64]), VectorFault::NotSafetensors { .. }));
    let another = fault(&core.read("health/swiglu_f32.safetensors"));
    assert!(matches!(another, VectorFault::UnknownTensor { .. }), "{another}");
    let half = fault(&core.read("health/rmsnorm_f16.safetensors"));
    assert!(matches!(half, VectorFault::DType { .. }), "{half}");
    let none: Vec<NamedTensor> = Vec::new();
    let nothing = Signature { symbols: &[], tensors: &[], params: &[] };
    let empty = HealthVector::new(&nothing, none.clone(), none, &[]).unwrap().to_bytes().unwrap();
    assert!(matches!(fault(&empty), VectorFault::MissingTensor { .. }));
}

#[apply(on_both_engines)]
fn the_vectors_of_a_pack_are_bounded_together(engine: Engine) {
    // Each file is within its limit, but together they exceed the pack's; their content must not matter.
    let large = vec![0u8; MAX_HEALTH_BYTES];
    let (bytes, params) = vector([0.0; 2], 0);
    // Spaces in the header make a valid file of any size.
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let (json, data) = (&bytes[8..8 + header], &bytes[8 + header..]);
    let blanks = large.len() - 8 - bytes.len();
    let mut padded = ((header + blanks) as u64).to_le_bytes().to_vec();
    padded.extend(json);
    padded.extend(vec![b' '; blanks]);
    padded.extend(data);
    let entries: Vec<_> = (0..9)
        .map(|at| HealthEntry {
            path: format!("health/v{at}.safetensors"),
            hash: Digest::of(&padded),
            tolerance: 0.0,
            params: params.clone(),
        })
        .collect();
    for (count, fits) in [(8, true), (9, false)] {
        let copy = Parts::default().pack_with(|manifest| manifest.kernels[0].health = entries[..count].to_vec());
        entries[..count].iter().for_each(|entry| copy.write(&entry.path, &padded));
        match copy.open(engine) {
            Ok(_) => assert!(fits),
            Err(error) => {
                assert!(!fits, "{error}");
                assert!(matches!(&error, Error::Rejected(fault) if **fault == Rejected::VectorsTooLarge), "{error}");
            }
        }
        let signed = kernelpack_packer::sign(copy.path(), &pack::key()).map(drop).map_err(|error| error.to_string());
        assert_eq!(signed.is_ok(), fits, "{signed:?}");
    }
}

fn build_unwell(health: Health, out: &std::path::Path) -> Vec<Event> {
    let options = BuildOptions {
        crate_dir: pack::workspace().join("tests/fixtures/unwell"),
        package: None,
        features: Features::default(),
        out_dir: out.to_owned(),
        health,
        scalar: false,
        signing: Signing::Now(pack::key()),
    };
    let mut events = Vec::new();
    build(&options, &mut |event| events.push(event)).unwrap_or_else(|error| panic!("{error}: {events:?}"));
    events
}

#[test]
fn functions_that_give_nothing_have_no_vector_and_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let events = build_unwell(Health::default(), &dir.path().join("pack"));
    let warned: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Warning(Warning::NoVector { kernel, reason, .. }) => Some((kernel.as_str(), reason.as_str())),
            _ => None,
        })
        .collect();
    let kernels: Vec<_> = warned.iter().map(|(kernel, _)| *kernel).collect();
    assert_eq!(kernels, ["aborts", "counts", "keeps_by", "keeps_most", "panics_always", "refuses_always"]);
    assert!(warned[0].1.starts_with("ended its process (signal: 6"), "{warned:?}");
    for (kernel, reason) in &warned[1..4] {
        assert!(reason.ends_with("when it is called again: it keeps state between calls"), "{kernel}: {reason}");
    }
    assert!(warned[4].1.ends_with("elements are too many"), "{warned:?}");
    assert!(warned[5].1.starts_with("failed with NOT_IMPLEMENTED: neither "), "{warned:?}");

    let pack = pack::runtime().open(dir.path().join("pack")).unwrap();
    // The sandbox's result differs from the function's, which only a host can detect.
    let found = found(pack.check_health().unwrap_err());
    assert_eq!((found.kernel.as_str(), found.vector.as_str()), ("differs", "health/differs.safetensors"));
    assert!(matches!(&found.fault, HealthFault::WrongResult { tolerance: 1e-5, .. }), "{found}");
    let vectors: Vec<_> = pack.manifest().files().filter(|path| path.starts_with("health/")).collect();
    let expected = ["differs", "picky", "scales_f32-by_3", "scales_f32"];
    assert_eq!(vectors, expected.map(|name| format!("health/{name}.safetensors")));

    // Without the differing kernel, the author's and the generated vectors are right.
    let copy = Copy::of(&dir.path().join("pack"));
    let mut manifest = copy.manifest();
    let differs = manifest.kernels.iter_mut().find(|kernel| kernel.id == "differs").unwrap();
    differs.health.clear();
    fs::remove_file(copy.path().join("health/differs.safetensors")).unwrap();
    copy.sign(&manifest.to_json());
    let report = copy.open(Engine::Wasmtime).unwrap().check_health().unwrap();
    let checked: Vec<_> = report.checked.iter().map(|checked| (checked.kernel.as_str(), checked.tolerance)).collect();
    assert_eq!(checked, [("picky", 1e-5), ("scales_f32", 1e-6), ("scales_f32", 1e-5)]);
    assert_eq!(
        report.unchecked,
        ["aborts", "counts", "differs", "keeps_by", "keeps_most", "panics_always", "refuses_always"]
    );

    // Equal sources give equal bytes.
    build_unwell(Health::default(), &dir.path().join("again"));
    let again = Copy::of(&dir.path().join("again"));
    let first = Copy::of(&dir.path().join("pack"));
    assert_eq!(again.read(pack::MANIFEST), first.read(pack::MANIFEST));
}

#[test]
fn without_made_vectors_those_of_the_author_stay() {
    let dir = tempfile::tempdir().unwrap();
    let events = build_unwell(Health { make: false, ..Health::default() }, &dir.path().join("pack"));
    assert!(
        !events.iter().any(|event| matches!(event, Event::CompilingReference { .. } | Event::Warning(_))),
        "{events:?}"
    );
    let report = pack::runtime().open(dir.path().join("pack")).unwrap().check_health().unwrap();
    let checked: Vec<_> = report.checked.iter().map(|checked| checked.vector.as_str()).collect();
    assert_eq!(checked, ["health/scales_f32-by_3.safetensors"]);
}
