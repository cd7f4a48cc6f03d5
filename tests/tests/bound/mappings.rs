//! Checks that bindings and tensors leave nothing behind; for Wasmtime only, since WAMR maps nothing.

use kernelpack_host::{Bound, Tensor};
use kernelpack_kernels::rmsnorm_f32;
use kernelpack_tests::pack;

use crate::alone;

/// Counts the tensors' mappings in this process.
fn mappings() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains("kernelpack-tensors")).count()
}

/// Counts the reservations of address space in units of 2 GiB: other threads make and drop smaller mappings meanwhile.
fn reserved() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let bytes = |line: &str| {
        let (start, rest) = line.split_once('-')?;
        let (end, rest) = rest.split_once(' ')?;
        let number = |digits| usize::from_str_radix(digits, 16).ok();
        rest.starts_with("---p").then_some(number(end)? - number(start)?)
    };
    maps.lines().filter_map(bytes).map(|bytes| bytes >> 31).sum()
}

#[test]
fn nothing_is_left_whatever_the_order_of_drops() {
    let _alone = alone();
    let pack = pack::runtime().open(pack::core()).unwrap();
    let kernel = pack.kernel::<rmsnorm_f32::Kernel>().unwrap();
    let bind = |bindings: usize| {
        let (x, weight) = (Tensor::zeros(&[3, 5000]).unwrap(), Tensor::zeros(&[5000]).unwrap());
        let mut y = Tensor::zeros(&[3, 5000]).unwrap();
        let bound: Vec<Bound<rmsnorm_f32::Kernel>> = (0..bindings)
            .map(|_| {
                let mut bound = kernel.bind(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
                bound.call(rmsnorm_f32::Args::new(x.view(), weight.view(), y.view_mut())).unwrap();
                bound
            })
            .collect();
        (x, weight, y, bound)
    };
    // Makes everything that only the first binding makes.
    drop(bind(1));
    let before = (mappings(), reserved());
    assert_eq!(before.0, 0);

    let (x, weight, y, mut bound) = bind(3);
    // Adjacent ranges of one file may appear as one line.
    assert!(mappings() > 3, "{}", mappings());
    drop(bound.remove(1));
    drop(x);
    drop(bound.pop());
    drop(y);
    drop(weight);
    assert!(mappings() > 0, "the last binding still has its tensors");
    drop(bound);
    assert_eq!((mappings(), reserved()), before);

    let (x, weight, y, bound) = bind(2);
    drop((x, weight, y));
    drop(bound);
    assert_eq!((mappings(), reserved()), before);

    for _ in 0..50 {
        drop(bind(2));
    }
    assert_eq!((mappings(), reserved()), before);
}

#[test]
fn the_memory_of_dropped_tensors_goes_back_to_the_system() {
    let _alone = alone();
    let shared = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("RssShmem:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap()
    };
    let before = shared();
    let mut tensor = Tensor::<f32>::zeros(&[16 << 20]).unwrap();
    tensor.as_mut_slice().fill(1.0);
    assert!(shared() >= before + (60 << 10));
    drop(tensor);
    assert!(shared() < before + (1 << 10));
}
