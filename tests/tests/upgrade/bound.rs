//! Tests bindings that follow the active pack.

use kernelpack_host::{
    Error, Tensor, TypedKernel,
    error::BadCall,
    manager::{FollowedBound, KernelManager},
};
use kernelpack_tests::{apply, engine::Engine, on_both_engines};

use crate::releases::{ID, Releases, manager, shift_f32};

/// The number of elements in a tensor: more than a page.
const N: usize = 2048;

fn tensors() -> (Tensor<f32>, Tensor<f32>) {
    (Tensor::zeros(&[N]).unwrap(), Tensor::zeros(&[N]).unwrap())
}

/// Bindings of the same kernel, one by its stub and one by its name, and their tensors.
struct Bindings {
    typed: FollowedBound<TypedKernel<shift_f32::Kernel>>,
    named: FollowedBound<kernelpack_host::DynKernel>,
    x: Tensor<f32>,
    y: Tensor<f32>,
    copied: u64,
}

impl Bindings {
    fn new(engine: Engine, manager: &KernelManager) -> Self {
        let (x, mut y) = tensors();
        let typed = manager.follow::<shift_f32::Kernel>().unwrap();
        let typed = typed.bind(shift_f32::Args::new(x.view(), y.view_mut())).unwrap();
        let named = manager.follow_named(ID).unwrap();
        let named = named.bind(&[("x", (&x).into())], &mut [("y", (&mut y).into())], &[]).unwrap();
        Self { typed, named, x, y, copied: if engine.maps_tensors() { 0 } else { 8 * N as u64 } }
    }

    fn shift(&mut self) -> [f32; 2] {
        let Self { typed, named, x, y, copied } = self;
        assert_eq!(
            (typed.copied_bytes(), named.copied_bytes(), typed.threads(), named.threads()),
            (*copied, *copied, 1, 1)
        );
        x.as_mut_slice().fill(0.5);
        typed.call(shift_f32::Args::new(x.view(), y.view_mut())).unwrap();
        let by_stub = y.as_slice()[N - 1] - 0.5;
        y.as_mut_slice().fill(0.0);
        named.call(&[("x", (&*x).into())], &mut [("y", (&mut *y).into())], &[]).unwrap();
        [by_stub, y.as_slice()[N - 1] - 0.5]
    }
}

#[apply(on_both_engines)]
fn a_binding_goes_with_the_active_pack_and_back(engine: Engine) {
    let (releases, manager) = (Releases::new(engine), manager(engine));
    manager.upgrade(releases.good(1)).unwrap();
    let mut bindings = Bindings::new(engine, &manager);
    assert_eq!([bindings.shift(), bindings.shift()], [[1.0; 2]; 2]);
    let first = manager.kernel_named(ID).unwrap();
    assert_eq!(first.occupancy().bound, 2, "an instance for each");
    let held = first.bind(&[("x", (&bindings.x).into())], &mut [("y", (&mut bindings.y).into())], &[]);
    let mut held = held.unwrap();

    manager.upgrade(releases.good(2)).unwrap();
    assert_eq!(first.occupancy().bound, 3, "until the next call");
    assert_eq!([bindings.shift(), bindings.shift()], [[2.0; 2]; 2]);
    assert_eq!(first.occupancy().bound, 1, "what does not follow stays");
    held.call(&[("x", (&bindings.x).into())], &mut [("y", (&mut bindings.y).into())], &[]).unwrap();
    assert_eq!(bindings.y.as_slice()[0], 1.5);

    let second = manager.kernel_named(ID).unwrap();
    manager.rollback().unwrap();
    assert_eq!(bindings.shift(), [1.0; 2]);
    assert_eq!((first.occupancy().bound, second.occupancy().bound), (3, 0));
    drop(bindings);
    assert_eq!(first.occupancy().bound, 1);
}

/// Where tensors are copied, a binding accepts others of the same shape.
#[test]
fn a_swap_changes_nothing_about_which_tensors_are_bound() {
    let engine = Engine::Wasmtime;
    let (releases, manager) = (Releases::new(engine), manager(engine));
    manager.upgrade(releases.good(1)).unwrap();
    let mut bindings = Bindings::new(engine, &manager);
    manager.upgrade(releases.good(2)).unwrap();
    let (other, _) = tensors();
    let Bindings { typed, named, y, .. } = &mut bindings;
    let by_stub = typed.call(shift_f32::Args::new(other.view(), y.view_mut()));
    let by_name = named.call(&[("x", (&other).into())], &mut [("y", (&mut *y).into())], &[]);
    for refused in [by_stub, by_name] {
        let Err(Error::BadCall(bad)) = refused else { panic!("{refused:?}") };
        assert!(matches!(&*bad, BadCall::NotBound { name, .. } if name == "x"), "{bad}");
    }
    assert_eq!(bindings.shift(), [2.0; 2]);
}

#[apply(on_both_engines)]
fn a_pack_whose_kernel_cannot_be_bound_is_tried_again_at_the_next_call(engine: Engine) {
    let releases = Releases::new(engine);
    let manager = KernelManager::builder(engine.builder().max_bindings(2).build().unwrap()).build().unwrap();
    manager.upgrade(releases.good(1)).unwrap();
    let mut bindings = Bindings::new(engine, &manager);
    manager.upgrade(releases.good(2)).unwrap();
    // Another caller holds all instances of the new kernel.
    let kernel = manager.kernel_named(ID).unwrap();
    let (x, mut y) = tensors();
    let mut bind = || kernel.bind(&[("x", (&x).into())], &mut [("y", (&mut y).into())], &[]).unwrap();
    let taken = [bind(), bind()];
    let Bindings { named, x, y, .. } = &mut bindings;
    let busy = named.call(&[("x", (&*x).into())], &mut [("y", (&mut *y).into())], &[]).unwrap_err();
    assert!(matches!(busy, Error::Resources(_)), "{busy}");
    drop(taken);
    assert_eq!(bindings.shift(), [2.0; 2]);
}
