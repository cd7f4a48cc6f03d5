//! Generates random tensors and shapes.

use std::fmt::Debug;

use kernelpack_abi::{BlockQ4_0, BlockQ8_0, Element, TensorBuf};
use kernelpack_guest::f16;
use proptest::{
    array::{uniform16, uniform32},
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{TestCaseError, TestRunner},
};

/// Runs a test on this many random values, or as many as `PROPTEST_CASES` says; the test fails by panicking.
pub(crate) fn property<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value)) {
    let from_environment = std::env::var_os("PROPTEST_CASES").is_some();
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let config = if from_environment { default } else { ProptestConfig { cases, ..default } };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&strategy, |value| {
        test(value);
        Ok::<(), TestCaseError>(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Returns a tensor with these extents and elements.
pub(crate) fn tensor<T: Element>(dims: &[usize], data: &[T]) -> TensorBuf<T> {
    let mut tensor = TensorBuf::zeros(dims).unwrap();
    tensor.data_mut().copy_from_slice(data);
    tensor
}

/// An element type with values that are hard for the code under test.
pub(crate) trait Wild: Element + Debug + 'static {
    /// Generates any element.
    fn any() -> BoxedStrategy<Self>;
    /// Generates a value that is treated specially somewhere.
    fn special() -> BoxedStrategy<Self>;
    /// Generates a number as in the layers of a model.
    fn usual() -> BoxedStrategy<Self>;
}

impl Wild for f32 {
    fn any() -> BoxedStrategy<Self> {
        any::<u32>().prop_map(f32::from_bits).boxed()
    }

    fn special() -> BoxedStrategy<Self> {
        let least = f32::from_bits(1);
        let values = vec![
            f32::NAN,
            f32::INFINITY,
            f32::MAX,
            f32::MIN_POSITIVE,
            f32::MIN_POSITIVE.next_down(),
            least,
            1e-41,
            1e-20,
            1e20,
            65504.0,
            65520.0,
            0.0,
            1.0,
            88.8,
            103.9,
        ];
        (select(values), any::<bool>()).prop_map(|(value, negative)| if negative { -value } else { value }).boxed()
    }

    fn usual() -> BoxedStrategy<Self> {
        (-8.0f32..8.0).boxed()
    }
}

impl Wild for f16 {
    fn any() -> BoxedStrategy<Self> {
        any::<u16>().prop_map(f16::from_bits).boxed()
    }

    fn special() -> BoxedStrategy<Self> {
        let values = vec![
            f16::NAN,
            f16::INFINITY,
            f16::MAX,
            f16::MIN_POSITIVE,
            f16::from_bits(0x3ff),
            f16::from_bits(1),
            f16::ZERO,
            f16::ONE,
        ];
        (select(values), any::<bool>()).prop_map(|(value, negative)| if negative { -value } else { value }).boxed()
    }

    fn usual() -> BoxedStrategy<Self> {
        f32::usual().prop_map(f16::from_f32).boxed()
    }
}

impl Wild for BlockQ8_0 {
    fn any() -> BoxedStrategy<Self> {
        (f16::any(), uniform32(any::<i8>())).prop_map(|(d, qs)| Self { d, qs }).boxed()
    }

    fn special() -> BoxedStrategy<Self> {
        (f16::special(), uniform32(any::<i8>())).prop_map(|(d, qs)| Self { d, qs }).boxed()
    }

    fn usual() -> BoxedStrategy<Self> {
        ((1e-4f32..0.1).prop_map(f16::from_f32), uniform32(any::<i8>())).prop_map(|(d, qs)| Self { d, qs }).boxed()
    }
}

impl Wild for BlockQ4_0 {
    fn any() -> BoxedStrategy<Self> {
        (f16::any(), uniform16(any::<u8>())).prop_map(|(d, qs)| Self { d, qs }).boxed()
    }

    fn special() -> BoxedStrategy<Self> {
        (f16::special(), uniform16(any::<u8>())).prop_map(|(d, qs)| Self { d, qs }).boxed()
    }

    fn usual() -> BoxedStrategy<Self> {
        ((-1f32..1.0).prop_map(f16::from_f32), uniform16(any::<u8>())).prop_map(|(d, qs)| Self { d, qs }).boxed()
    }
}

/// Generates a tensor of usual numbers, of usual numbers with a few special ones, of special ones, or of arbitrary
/// ones.
pub(crate) fn wild<T: Wild>(dims: &[usize]) -> BoxedStrategy<TensorBuf<T>> {
    let few = prop_oneof![30 => T::usual(), 1 => T::special()];
    let dims = dims.to_vec();
    let len: usize = dims.iter().product();
    prop_oneof![vec(T::usual(), len), vec(few, len), vec(T::special(), len), vec(T::any(), len)]
        .prop_map(move |data| tensor(&dims, &data))
        .boxed()
}

/// Generates a tensor of numbers of one magnitude, which is one of `scales`, so that sums of them lose little
/// precision.
pub(crate) fn even(dims: &[usize], scales: &'static [f32]) -> BoxedStrategy<TensorBuf<f32>> {
    let dims = dims.to_vec();
    let len: usize = dims.iter().product();
    (vec(-1f32..1.0, len), select(scales))
        .prop_map(move |(data, scale)| tensor(&dims, &data.iter().map(|x| x * scale).collect::<Vec<_>>()))
        .boxed()
}

/// Rounds each element to the nearest f16.
pub(crate) fn narrow(tensor: &TensorBuf<f32>) -> TensorBuf<f16> {
    let mut narrow = TensorBuf::zeros_of(tensor.shape());
    for (to, from) in narrow.data_mut().iter_mut().zip(tensor.data()) {
        *to = f16::from_f32(*from);
    }
    narrow
}

/// Generates rows and columns: small and odd, around block sizes, zero.
pub(crate) fn matrix() -> impl Strategy<Value = [usize; 2]> {
    let columns = prop_oneof![0..5usize, 1..140usize, 254..260usize];
    (0..5usize, columns).prop_map(|(rows, columns)| [rows, columns])
}

/// Generates the extents of a tensor to rotate: batch, seq, heads and pairs.
pub(crate) fn heads() -> impl Strategy<Value = [usize; 4]> {
    let pairs = prop_oneof![0..4usize, 1..35usize, Just(64)];
    (0..3usize, 0..4usize, 0..3usize, pairs).prop_map(|(batch, seq, heads, pairs)| [batch, seq, heads, pairs])
}

/// The extents of a low-rank adaptation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranks {
    pub(crate) rows: usize,
    pub(crate) din: usize,
    pub(crate) dout: usize,
    pub(crate) r: usize,
}

pub(crate) fn ranks() -> impl Strategy<Value = Ranks> {
    (0..4usize, 0..70usize, 0..70usize, 0..10usize).prop_map(|(rows, din, dout, r)| Ranks { rows, din, dout, r })
}
