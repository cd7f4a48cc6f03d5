use kernelpack_host::abi::{BlockQ4_0, BlockQ8_0};

use super::*;

fn tensor(dtype: DType, content: Content) -> Tensor {
    Tensor::new("x", dtype, Shape::new(&[3, 50]).unwrap(), content, 7).unwrap()
}

#[test]
fn noise_stays_within_its_bounds_and_is_the_same_each_time() {
    let floats = tensor(DType::F32, Content::Noise(0.5));
    let view = floats.view::<f32>().unwrap();
    assert!(view.data().iter().all(|x| x.abs() <= 0.5) && view.data().iter().any(|x| x.abs() > 0.25));
    assert_eq!(floats.bytes(), tensor(DType::F32, Content::Noise(0.5)).bytes());
    assert!(floats.view::<u32>().is_none());

    let halves = tensor(DType::F16, Content::Noise(1.0));
    assert!(halves.view::<f16>().unwrap().data().iter().all(|x| x.to_f32().abs() <= 1.0));
    let scales = |d: f16| (0.003..0.2).contains(&d.to_f32());
    let blocks = tensor(DType::Q8_0, Content::Noise(1.0));
    assert!(blocks.view::<BlockQ8_0>().unwrap().data().iter().all(|block| scales(block.d)));
    let blocks = tensor(DType::Q4_0, Content::Noise(1.0));
    assert!(blocks.view::<BlockQ4_0>().unwrap().data().iter().all(|block| scales(block.d)));
    for dtype in [DType::I8, DType::U8, DType::I32, DType::U32] {
        assert!(tensor(dtype, Content::Noise(1.0)).bytes().iter().all(|&byte| byte < 8));
    }
}

#[test]
fn angles_grow_with_the_position() {
    let angles = tensor(DType::F32, Content::Angles);
    let angles = angles.view::<f32>().unwrap().data();
    assert_eq!((angles[0], angles[50], angles[100]), (0.0, 1.0, 2.0));
    assert!(angles[51] < angles[50]);
}
