use super::*;
use crate::samples::{FULL, FULL_PARAMS, full_vector, named};

/// Name, type and shape of a tensor in a file.
type Stored = (&'static str, safetensors::Dtype, &'static [usize]);

fn file(tensors: &[Stored]) -> Vec<u8> {
    let size = |dtype: safetensors::Dtype, dims: &[usize]| dims.iter().product::<usize>() * dtype.bitsize() / 8;
    let data: Vec<_> = tensors.iter().map(|(_, dtype, dims)| vec![0; size(*dtype, dims)]).collect();
    let views = tensors
        .iter()
        .zip(&data)
        .map(|((name, dtype, dims), data)| (name.to_string(), TensorView::new(*dtype, dims.to_vec(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

fn fault(bytes: &[u8]) -> String {
    HealthVector::parse(bytes, &FULL.forward, &FULL_PARAMS).unwrap_err().to_string()
}

#[test]
fn a_vector_reads_back_and_its_bytes_depend_on_nothing_else() {
    let vector = full_vector();
    let bytes = vector.to_bytes().unwrap();
    assert_eq!(HealthVector::parse(&bytes, &FULL.forward, &FULL_PARAMS), Ok(vector.clone()));
    // Tensors in another order are the same vector.
    let inputs = vec![named("state", DType::F32, &[4]), named("x", DType::F32, &[2, 6])];
    let expected = vec![named("state", DType::F32, &[4]), named("y", DType::Q8_0, &[2, 6])];
    let other = HealthVector::new(&FULL.forward, inputs, expected, &FULL_PARAMS).unwrap();
    assert_eq!(other.to_bytes().unwrap(), bytes);
    let names: Vec<_> = vector.expected().iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["state", "y"], "not in declaration order");
}

#[test]
fn a_file_that_names_something_twice_is_refused() {
    use safetensors::Dtype::{F32, U8};
    // As long as "out.y", so that it can be renamed in the header.
    let stored: [Stored; 5] = [
        ("in.x", F32, &[2, 6]),
        ("in.state", F32, &[4]),
        ("out.state", F32, &[4]),
        ("out.y", U8, &[2, 6 * 34]),
        ("out.z", U8, &[2, 6 * 34]),
    ];
    let mut bytes = file(&stored);
    let at = bytes.windows(5).position(|name| name == b"out.z").unwrap();
    bytes[at..at + 5].copy_from_slice(b"out.y");
    let said = fault(&bytes);
    assert!(
        said.starts_with("it is not a safetensors file: it has the key \"out.y\" twice in one object (line 1 "),
        "{said}"
    );
}

#[test]
fn the_rows_of_the_call_are_those_of_the_table() {
    let (scalars, results) = full_vector().lend(&FULL.forward, |rows, scalars| {
        let said: Vec<_> =
            rows.iter().map(|row| format!("{:?}", row.data).split('(').next().unwrap().to_owned()).collect();
        assert_eq!(said, ["In", "Absent", "InOut", "Scratch", "Out"]);
        let TensorData::InOut(state) = &mut rows[2].data else { panic!("{rows:?}") };
        assert_eq!(state[..3], [0, 1, 2]);
        state[0] = 9;
        let TensorData::Out(y) = &mut rows[4].data else { panic!("{rows:?}") };
        assert!(y.iter().all(|byte| *byte == 0), "the kernel would see what is expected");
        y[1] = 7;
        scalars.to_vec()
    });
    assert_eq!(block::read_scalar(&scalars, FULL.forward.params, 0), Some(ParamValue::F32(1e-3)));
    assert_eq!(block::read_scalar(&scalars, FULL.forward.params, 1), Some(ParamValue::Bool(true)));
    assert_eq!(block::read_scalar(&scalars, FULL.forward.params, 3), Some(ParamValue::U32(7)));
    assert_eq!((results[0].bytes[0], results[0].bytes[1]), (9, 1));
    assert_eq!(results[1].bytes[..3], [0, 7, 0]);
}

#[test]
fn tensors_that_are_not_the_kernels_are_refused() {
    use safetensors::Dtype::{F16, F32, U8};
    let [x, start, state, y]: [Stored; 4] =
        [("in.x", F32, &[2, 6]), ("in.state", F32, &[4]), ("out.state", F32, &[4]), ("out.y", U8, &[2, 6 * 34])];
    assert!(HealthVector::parse(&file(&[x, start, state, y]), &FULL.forward, &FULL_PARAMS).is_ok());
    let weight: Stored = ("in.weight", F32, &[3, 32]);
    assert!(HealthVector::parse(&file(&[x, start, state, y, weight]), &FULL.forward, &FULL_PARAMS).is_ok());

    let known = "which the kernel does not; the kernel's tensors: in.x, in.weight, in.state, out.state, out.y";
    for name in ["x", "in.y", "out.x", "in.tmp", "out.tmp", "in.z", ""] {
        assert_eq!(
            fault(&file(&[x, start, state, y, (name, F32, &[2, 6])])),
            format!("it has the tensor {name:?}, {known}")
        );
    }
    assert_eq!(fault(&file(&[x, start, state])), "it has no tensor \"out.y\"; add it");
    assert_eq!(fault(&file(&[x, state, y])), "it has no tensor \"in.state\"; add it");
    assert_eq!(
        fault(&file(&[("in.x", F16, &[2, 6]), start, state, y])),
        "its tensor \"in.x\" is stored as F16, but f32 is stored as F32"
    );
    assert_eq!(
        fault(&file(&[x, start, state, ("out.y", U8, &[2, 6])])),
        "the shape of its tensor \"out.y\" is invalid: a block of q8_0 has 34 bytes, so the last axis must be a multiple \
         of that, but it is 6"
    );
    assert_eq!(
        fault(&file(&[x, start, state, ("out.y", U8, &[3, 6 * 34])])),
        "output \"y\" needs rows = 2 along axis 0, not 3"
    );
    // Both values of an in-out tensor must agree with the symbols.
    assert_eq!(
        fault(&file(&[x, ("in.state", F32, &[6]), state, y])),
        "in-out tensor \"state\" needs rows*2 = 4 along axis 0, not 6"
    );
    assert_eq!(
        fault(&file(&[x, start, ("out.state", F32, &[6]), y])),
        "in-out tensor \"state\" needs rows*2 = 4 along axis 0, not 6"
    );
}

#[test]
fn scalars_that_are_not_the_kernels_are_refused() {
    let bytes = full_vector().to_bytes().unwrap();
    let fault = |params: &[_]| HealthVector::parse(&bytes, &FULL.forward, params).unwrap_err().to_string();
    assert_eq!(fault(&[]), "parameter \"offset\" has neither a default nor a value; give it a value");
    let offset = FULL_PARAMS[1];
    assert_eq!(
        fault(&[offset, ("epsilon", ParamValue::F32(1.0))]),
        "the kernel has no parameter \"epsilon\"; its parameters: eps, causal, axis, offset"
    );
    assert_eq!(fault(&[offset, ("eps", ParamValue::U32(1))]), "the value of parameter \"eps\" is not a finite f32");
}

#[test]
fn bytes_that_are_no_safetensors_file_are_refused() {
    let good = full_vector().to_bytes().unwrap();
    let with_header = |header: &str| [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 64]].concat();
    let huge = format!("{{\"in.x\":{{\"dtype\":\"F32\",\"shape\":[{0},{0}],\"data_offsets\":[0,64]}}}}", u64::MAX);
    for bytes in [
        vec![],
        vec![0xff; 64],
        vec![0; 8],
        good[..good.len() - 1].to_vec(),
        [&good[..], &[0]].concat(),
        with_header("{"),
        with_header("[]"),
        with_header(&huge),
        with_header(&format!("{}{}", "[".repeat(1 << 16), "]".repeat(1 << 16))),
        with_header("{\"in.x\":{\"dtype\":\"F32\",\"shape\":[16],\"data_offsets\":[64,0]}}"),
        with_header("{\"in.x\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[32,64]}}"),
    ] {
        let said = fault(&bytes);
        assert!(said.starts_with("it is not a safetensors file: "), "{said}");
    }
    for at in 0..good.len() - 500 {
        for bit in 0..8 {
            let mut changed = good.clone();
            changed[at] ^= 1 << bit;
            // Any result will do, but no panic.
            let _ = HealthVector::parse(&changed, &FULL.forward, &FULL_PARAMS);
        }
    }
}
