use super::*;

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
    // In-out tensors among the outputs have no rows of their own, but their number is limited too.
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
    // A manifest that was not validated can be written, but cannot be read back.
    assert!(Manifest::parse(&with(ParamValue::F32(f32::NAN)).to_json()).is_err());
}
