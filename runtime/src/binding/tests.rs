use kernelpack_abi::DType;

use super::*;

/// Only bindings that copy nothing are divided over threads.
#[cfg(target_os = "linux")]
mod divided;

#[test]
fn an_empty_tensor_of_another_shape_is_another_one() {
    let of = |dims: &[usize], data| TensorArg { dtype: DType::F32, shape: Shape::new(dims).unwrap(), data };
    let row = Row::of(&of(&[0, 5], TensorData::In(&[])));
    assert!(row.takes(&of(&[0, 5], TensorData::In(&[]))));
    assert!(!row.takes(&of(&[0, 7], TensorData::In(&[]))));
    assert!(!row.takes(&of(&[0, 5], TensorData::Absent)));
    // The shape of an absent tensor is not specified.
    assert!(Row::of(&of(&[2], TensorData::Absent)).takes(&of(&[3], TensorData::Absent)));
}
