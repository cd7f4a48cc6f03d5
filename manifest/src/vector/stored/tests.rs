use super::*;

#[test]
fn plain_types_keep_their_shapes() {
    for dtype in DType::ALL.into_iter().filter(|dtype| !is_block(*dtype)) {
        for dims in [&[][..], &[0], &[2, 3, 4]] {
            let shape = kernel_shape(dtype, dims).unwrap();
            assert_eq!(shape, Shape::new(dims).unwrap());
            assert_eq!(stored_shape(dtype, shape), dims);
            assert_eq!(shape.bytes(dtype), (dims.iter().product::<usize>() * stored(dtype).bitsize() / 8) as u64);
        }
    }
}

#[test]
fn blocks_are_bytes_along_the_last_axis() {
    for (dtype, size) in [(DType::Q8_0, 34), (DType::Q4_0, 18)] {
        assert_eq!(stored(dtype), Dtype::U8);
        for blocks in [0, 1, 4] {
            let shape = kernel_shape(dtype, &[3, blocks * size]).unwrap();
            assert_eq!(shape, Shape::new(&[3, blocks]).unwrap());
            assert_eq!(stored_shape(dtype, shape), [3, blocks * size]);
        }
        assert_eq!(stored_shape(dtype, Shape::default()), [size]);
    }
}

#[test]
fn parts_of_blocks_are_refused() {
    assert_eq!(
        kernel_shape(DType::Q8_0, &[2, 64]).unwrap_err(),
        "a block of q8_0 has 34 bytes, so the last axis must be a multiple of that, but it is 64"
    );
    assert!(kernel_shape(DType::Q4_0, &[]).unwrap_err().ends_with("it is missing"));
    assert!(kernel_shape(DType::F32, &[1; 9]).is_err());
}
