use kernelpack_host::abi::DType;

use super::*;

fn signature(symbols: &[&str], tensors: &[(Role, &[Dim])]) -> SignatureBuf {
    let tensor = |(index, (role, dims)): (usize, &(Role, &[Dim]))| TensorSpecBuf {
        name: format!("t{index}"),
        dtype: DType::F32,
        role: *role,
        optional: false,
        dims: dims.to_vec(),
        len: Vec::new(),
    };
    SignatureBuf {
        symbols: symbols.iter().map(|symbol| (*symbol).to_owned()).collect(),
        tensors: tensors.iter().enumerate().map(tensor).collect(),
        params: Vec::new(),
    }
}

#[test]
fn the_largest_shape_has_as_many_rows_as_fit() {
    let symbols = ["rows", "dim"];
    let [rows, dim] = [Dim::Symbol(0), Dim::Symbol(1)];
    let norm = signature(&symbols, &[(Role::In, &[rows, dim]), (Role::In, &[dim]), (Role::Out, &[rows, dim])]);
    let family = Family::of("rmsnorm_f32", &norm.symbols).unwrap();
    assert_eq!(largest_shape(&norm, family).unwrap().to_string(), "16384x4096");
    assert!(sizes(&norm, family, 1, 16).is_some());
    let pack = signature(&symbols, &[(Role::In, &[rows, dim]), (Role::Out, &[rows, Dim::Div(1, 32)])]);
    let family = Family::of("kv_pack_q8", &pack.symbols).unwrap();
    assert_eq!((sizes(&pack, family, 1, 16), sizes(&pack, family, 1, 32)), (None, Some(vec![128, 4])));
}

#[test]
fn unknown_kernels_get_shapes_that_fit() {
    let rows = signature(&["n", "m"], &[(Role::In, &[Dim::Symbol(0), Dim::Symbol(1)])]);
    assert_eq!(usual_shape(&rows).to_string(), "64x4096");
    let divided = signature(&["n", "m"], &[(Role::In, &[Dim::Div(0, 48), Dim::Div(0, 10), Dim::Symbol(1)])]);
    let shape = usual_shape(&divided);
    assert_eq!(shape.0[0] % 240, 0);
    assert!(tensor_shape(&divided.tensors[0].dims, &shape.0).unwrap().bytes(DType::F32) <= MAX_BYTES);
    let cube: Vec<Dim> = (0..6).map(Dim::Symbol).collect();
    let cube = signature(&["a", "b", "c", "d", "e", "f"], &[(Role::In, &cube)]);
    let shape = usual_shape(&cube);
    assert!(tensor_shape(&cube.tensors[0].dims, &shape.0).unwrap().bytes(DType::F32) <= MAX_BYTES);
    assert_eq!(usual_shape(&signature(&[], &[(Role::In, &[Dim::Fixed(4)])])).to_string(), "scalar");
}

#[test]
fn workloads_have_what_a_call_reads() {
    let (n, half) = (Dim::Symbol(0), Dim::Div(0, 2));
    let signature = signature(&["n"], &[(Role::In, &[n]), (Role::InOut, &[half]), (Role::Out, &[n])]);
    let of = |extents: &[u32]| Workload::new("k", &signature, None, &ShapeArg(extents.into()));
    let workload = of(&[8]).unwrap();
    assert_eq!((workload.name().as_str(), workload.bytes, workload.flops), ("n_8", 96, None));
    assert!(workload.tensor("t0").is_some() && workload.tensor("t1").is_some() && workload.tensor("t2").is_none());
    assert_eq!(
        of(&[7]).unwrap_err(),
        "kernel \"k\" cannot be measured at 7, where its in-out tensor \"t1\" has no shape"
    );
    assert_eq!(of(&[1, 2]).unwrap_err(), "kernel \"k\" takes the shape n, not 1x2");
}
