use kernelpack_abi::{DType, KernelSpec, Op, ParamType, ParamValue, ResourceLimits, Signature, TensorSpec};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    Manifest,
    samples::{FULL, PLAIN, key, manifest, spec_of},
};

fn from_spec(spec: &KernelSpecBuf) -> Result<Kernel, Rejected> {
    Kernel::from_spec(spec, Digest([0; 32]), BTreeMap::new(), BTreeMap::new())
}

fn fault(spec: &KernelSpecBuf) -> KernelFault {
    match from_spec(spec) {
        Err(Rejected::Kernel { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_spec_and_its_entry_say_the_same() {
    for spec in [&FULL, &PLAIN] {
        let manifest = manifest();
        let kernel = manifest.kernel(spec.id).unwrap();
        assert_eq!(kernel.to_spec(&manifest.fallbacks), Ok(spec_of(spec)));
    }
    let kernel = from_spec(&spec_of(&FULL)).unwrap();
    assert_eq!(kernel.path, "k/k_f32.wasm");
    let names = |list: &[Tensor]| list.iter().map(|tensor| (tensor.name.clone(), tensor.index)).collect::<Vec<_>>();
    assert_eq!(names(&kernel.inputs), [("x".into(), 0), ("weight".into(), 1), ("state".into(), 2)]);
    assert_eq!(names(&kernel.outputs), [("state".into(), 2), ("y".into(), 4)]);
    assert_eq!((kernel.scratch[0].index, kernel.scratch[0].len.to_string()), (3, "rows*(dim+4)".into()));
    assert_eq!(kernel.to_spec(&BTreeMap::new()).unwrap().fallback, "");
}

#[test]
fn what_a_manifest_cannot_say_is_refused() {
    let changed = |change: fn(&mut KernelSpecBuf)| {
        let mut spec = spec_of(&FULL);
        change(&mut spec);
        fault(&spec)
    };
    let inexpressible = |difference: &str| KernelFault::Inexpressible { difference: difference.into() };
    assert_eq!(
        changed(|spec| spec.forward.symbols.push("unused".into())),
        inexpressible("symbols is [\"rows\", \"dim\", \"unused\"] and [\"rows\", \"dim\"]")
    );
    let swapped = |spec: &mut KernelSpecBuf| {
        spec.forward.symbols.swap(0, 1);
        for tensor in &mut spec.forward.tensors {
            for dim in &mut tensor.dims {
                match dim {
                    Dim::Fixed(_) => {}
                    Dim::Symbol(index) | Dim::Div(index, _) | Dim::Mul(index, _) => *index = 1 - *index,
                }
            }
        }
    };
    assert!(matches!(changed(swapped), KernelFault::Inexpressible { .. }));
    assert!(matches!(
        changed(|spec| spec.forward.tensors[0].len = vec![Op::Const(1)]),
        KernelFault::Inexpressible { .. }
    ));
    let undeclared = |name: &str, index| KernelFault::UndeclaredSymbol { name: name.into(), index };
    assert_eq!(changed(|spec| spec.forward.tensors[0].dims[0] = Dim::Symbol(2)), undeclared("x", 2));
    assert_eq!(changed(|spec| spec.forward.tensors[3].len[0] = Op::Symbol(9)), undeclared("tmp", 9));
    assert!(matches!(changed(|spec| spec.forward.tensors[3].len.clear()), KernelFault::BadLength { .. }));
    assert_eq!(
        changed(|spec| spec.forward.params[1].name = "eps".into()),
        KernelFault::DuplicateName { name: "eps".into() }
    );
    assert_eq!(
        changed(|spec| spec.forward.params[0].default = Some(ParamValue::F32(f32::INFINITY))),
        KernelFault::BadDefault { name: "eps".into(), ty: "f32" }
    );
    assert_eq!(
        changed(|spec| spec.backward.as_mut().unwrap().tensors[0].dims[0] = Dim::Symbol(1)),
        KernelFault::Backward(Box::new(undeclared("dy", 1)))
    );
    let unsafe_family = KernelSpecBuf { family: "../k".into(), ..spec_of(&FULL) };
    assert_eq!(from_spec(&unsafe_family), Err(Rejected::UnsafePath { path: "../k/k_f32.wasm".into() }));
}

fn dim() -> impl Strategy<Value = (u8, usize, u32)> {
    (0..4u8, 0..16usize, 1..=u32::MAX)
}

/// Generates steps in reverse Polish order: a tree of bounded depth, with operators over constants and symbols.
fn length() -> impl Strategy<Value = Vec<(u8, u32)>> {
    let leaf = prop_oneof![any::<u32>().prop_map(|value| vec![(0, value)]), (0..16u32).prop_map(|at| vec![(1, at)])];
    leaf.prop_recursive(6, 40, 2, |inner| {
        (inner.clone(), inner, 2..6u8).prop_map(|(left, right, operator)| [left, right, vec![(operator, 0)]].concat())
    })
}

fn default() -> impl Strategy<Value = (ParamType, Option<ParamValue>)> {
    (0..4usize, any::<bool>(), any::<u32>()).prop_map(|(ty, given, bits)| {
        let ty = ParamType::ALL[ty];
        let bits = if ty == ParamType::Bool { bits & 1 } else { bits };
        let value = ParamValue::from_bits(ty, bits).unwrap();
        let finite = !matches!(value, ParamValue::F32(value) if !value.is_finite());
        (ty, Some(value).filter(|_| given && finite))
    })
}

/// Generates any valid signature whose symbols are exactly those that its shapes use.
fn signature() -> impl Strategy<Value = SignatureBuf> {
    let tensor = (1..5u8, 0..8usize, any::<bool>(), vec(dim(), 0..5), length());
    (vec(tensor, 0..10), vec(default(), 0..8)).prop_map(|(tensors, params)| {
        let mut chosen: Vec<usize> = Vec::new();
        let mut made: Vec<TensorSpecBuf> = Vec::new();
        for (at, (role, dtype, optional, dims, _)) in tensors.iter().enumerate() {
            let role = Role::from_code(*role).unwrap();
            let mut index = |symbol: usize| {
                let at = chosen.iter().position(|&known| known == symbol);
                at.unwrap_or_else(|| {
                    chosen.push(symbol);
                    chosen.len() - 1
                }) as u8
            };
            let dims = dims.iter().filter(|_| role != Role::Scratch).map(|&(kind, symbol, number)| match kind {
                0 => Dim::Fixed(number),
                1 => Dim::Symbol(index(symbol)),
                2 => Dim::Div(index(symbol), number),
                _ => Dim::Mul(index(symbol), number),
            });
            made.push(TensorSpecBuf {
                name: format!("t{at}"),
                dtype: DType::ALL[*dtype],
                role,
                optional: *optional && role == Role::In,
                dims: dims.collect(),
                len: Vec::new(),
            });
        }
        for (tensor, (.., length)) in made.iter_mut().zip(&tensors).filter(|(tensor, _)| tensor.role == Role::Scratch) {
            let op = |&(kind, number): &(u8, u32)| match kind {
                0 => Op::Const(number),
                1 if chosen.is_empty() => Op::Const(7),
                1 => Op::Symbol((number as usize % chosen.len()) as u8),
                2 => Op::Add,
                3 => Op::Sub,
                4 => Op::Mul,
                _ => Op::Div,
            };
            tensor.len = length.iter().map(op).collect();
        }
        let param = |(at, (ty, default))| ParamSpecBuf { name: format!("p{at}"), ty, default };
        SignatureBuf {
            symbols: chosen.iter().map(|symbol| format!("s{symbol}")).collect(),
            tensors: made,
            params: params.into_iter().enumerate().map(param).collect(),
        }
    })
}

fn spec() -> impl Strategy<Value = KernelSpecBuf> {
    let text = "[ -~\n\té\u{1f980}\"\\\\]{0,20}";
    let names = ("[a-z][a-z0-9_]{0,20}", "[a-z][a-zA-Z0-9_]{0,20}", "[a-z0-9_-]{1,8}(/[a-z0-9_-]{1,8})?");
    let limits = (1..=65_536u32, 1..=u32::MAX, any::<u32>(), 1..=4096u32, 16..=24u32);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let passes = (signature(), proptest::option::of(signature()));
    (names, [text, text, text], limits, flags, passes).prop_map(
        |((id, entry_point, family), [name, description, category], limits, flags, (forward, backward))| {
            let can_split = |symbol: &u8| forward.with(|signature| signature.is_split_by(*symbol)).is_ok();
            KernelSpecBuf {
                split: (0..forward.symbols.len() as u8).filter(can_split).collect(),
                fallback: if flags.2 { format!("{id}_reference") } else { String::new() },
                id,
                name,
                description,
                category,
                family,
                entry_point: format!("{entry_point}_forward"),
                limits: ResourceLimits {
                    max_memory_pages: limits.0,
                    max_epoch_ticks: limits.1,
                    max_table_elements: limits.2,
                    max_instances: limits.3,
                    max_stack_bytes: 1 << limits.4,
                },
                lifecycle: Lifecycle { init: flags.0, cleanup: flags.1 },
                forward,
                backward,
            }
        },
    )
}

#[test]
fn what_calls_may_be_split_over_is_checked() {
    let fault = |spec: &KernelSpec<'_>, split: &[&str]| {
        let mut kernel = from_spec(&spec_of(&KernelSpec { split: &[], ..*spec })).unwrap();
        kernel.split = split.iter().map(|&symbol| symbol.to_owned()).collect();
        match kernel.to_spec(&BTreeMap::new()) {
            Ok(spec) => Ok(spec.split),
            Err(Rejected::Kernel { fault, .. }) => Err(fault),
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(fault(&PLAIN, &["n"]), Ok(vec![0]));
    assert_eq!(fault(&PLAIN, &[]), Ok(vec![]));
    assert_eq!(fault(&PLAIN, &["n", "n"]), Err(KernelFault::DuplicateName { name: "n".into() }));
    assert_eq!(fault(&PLAIN, &["m"]), Err(KernelFault::UnknownSplit { symbol: "m".into() }));
    // `state` has twice the rows, `x` has `dim` as its inner axis.
    for (symbol, tensor) in [("rows", "state"), ("dim", "x")] {
        let bad = KernelFault::BadSplit { symbol: symbol.into(), tensor: tensor.into() };
        assert_eq!(fault(&FULL, &[symbol]), Err(bad));
    }
    let tensors = |dims: [&'static [Dim]; 2]| {
        let [x, y] = [PLAIN.forward.tensors[0], PLAIN.forward.tensors[1]];
        [TensorSpec { dims: dims[0], ..x }, TensorSpec { dims: dims[1], ..y }]
    };
    const N: Dim = Dim::Symbol(0);
    for (dims, tensor) in [
        ([&[N][..], &[Dim::Fixed(2)][..]], "y"),
        ([&[N, N], &[N]], "x"),
        ([&[Dim::Fixed(1), N], &[N]], "x"),
        ([&[Dim::Div(0, 2)], &[N]], "x"),
    ] {
        let forward = Signature { tensors: &tensors(dims), ..PLAIN.forward };
        let bad = KernelFault::BadSplit { symbol: "n".into(), tensor: tensor.into() };
        assert_eq!(fault(&KernelSpec { forward, ..PLAIN }, &["n"]), Err(bad));
    }
    let forward = Signature { tensors: &PLAIN.forward.tensors[..1], ..PLAIN.forward };
    let unknown = KernelFault::UnknownSplit { symbol: "n".into() };
    assert_eq!(fault(&KernelSpec { forward, ..PLAIN }, &["n"]), Err(unknown), "nothing is written");
    let inputs_only = Signature { tensors: &tensors([&[Dim::Fixed(3)], &[N]]), ..PLAIN.forward };
    assert_eq!(fault(&KernelSpec { forward: inputs_only, ..PLAIN }, &["n"]), Ok(vec![0]), "an input that all share");
}

proptest! {
    #[test]
    fn every_valid_spec_survives_the_manifest(spec in spec()) {
        prop_assume!(spec.entry_point != "kernel_forward");
        let mut manifest = Manifest { kernels: vec![from_spec(&spec).unwrap()], ..manifest() };
        manifest.fallbacks.clear();
        if !spec.fallback.is_empty() {
            manifest.fallbacks.insert(spec.id.clone(), spec.fallback.clone());
        }
        let json = manifest.to_json();
        let read = crate::KernelPackVerifier::new([key().public()]).verify(&json, &key().sign(&json), std::time::UNIX_EPOCH).unwrap();
        prop_assert_eq!(read.manifest(), &manifest);
        prop_assert_eq!(read.to_json(), json);
        let again = read.kernels[0].to_spec(&read.fallbacks).unwrap();
        prop_assert_eq!(first_difference(&spec, &again), None);
        prop_assert_eq!(spec, again);
    }
}
