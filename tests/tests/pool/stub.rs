//! A typed stub for the hand-written modules, and what these modules do.

use std::collections::BTreeMap;

use kernelpack_abi::{
    Error, Kernel, KernelSpec, KernelSpecBuf, Pass, ResourceLimits, Result, Signature, Status, TensorArg, TensorView,
    TensorViewMut,
};
use kernelpack_manifest::Digest;
use kernelpack_tests::pack::Copy;

use crate::wat_kernel::{Parts, SPEC};

/// The kernel's description with a backward pass that takes the same arguments as the forward pass.
pub(crate) const WITH_BACKWARD: KernelSpec<'static> = KernelSpec { backward: Some(SPEC.forward), ..SPEC };

/// The function that computes y = x² + mode.
pub(crate) const SQUARE: &str = "(func $square (param $d i32) (param $mode i32) (result i32)
    (local $block i32) (local $x i32) (local $y i32) (local $end i32)
    (local.set $block (i32.load offset=32 (local.get $d)))
    (local.set $x (i32.load offset=16 (local.get $block)))
    (local.set $end (i32.add (local.get $x) (i32.load offset=20 (local.get $block))))
    (local.set $y (i32.load offset=64 (local.get $block)))
    (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $x) (local.get $end)))
        (f32.store (local.get $y) (f32.add
            (f32.mul (f32.load (local.get $x)) (f32.load (local.get $x)))
            (f32.convert_i32_s (local.get $mode))))
        (local.set $x (i32.add (local.get $x) (i32.const 4)))
        (local.set $y (i32.add (local.get $y) (i32.const 4)))
        (br $next)))
    (i32.const 0))";

/// A mode in which [`FORWARD`] traps.
pub(crate) const TRAP: i32 = -1;
/// A mode in which [`FORWARD`] runs until its deadline.
pub(crate) const SPIN: i32 = -2;

/// The body of a forward pass that calls [`SQUARE`] in every other mode.
pub(crate) const FORWARD: &str = "(if (i32.eq (local.get $mode) (i32.const -1)) (then unreachable))
    (if (i32.eq (local.get $mode) (i32.const -2)) (then (loop $spin (br $spin))))
    (call $square (local.get $descriptor) (local.get $mode))";

/// Returns the module with [`FORWARD`] and these limits.
pub(crate) fn square(limits: ResourceLimits) -> Parts {
    Parts { rest: SQUARE, forward: FORWARD, spec: KernelSpec { limits, ..SPEC }, ..Parts::default() }
}

/// Returns a pack of a module that its manifest describes correctly.
pub(crate) fn honest(parts: &Parts) -> Copy {
    parts.pack_with(|manifest| {
        let spec = KernelSpecBuf::from(&parts.spec);
        manifest.kernels[0] =
            kernelpack_manifest::Kernel::from_spec(&spec, Digest::of(&parts.wasm()), BTreeMap::new(), BTreeMap::new())
                .unwrap();
    })
}

/// The arguments of either pass.
pub(crate) struct Args<'a> {
    pub(crate) x: TensorView<'a, f32>,
    pub(crate) y: TensorViewMut<'a, f32>,
    pub(crate) mode: i32,
}

macro_rules! pass {
    ($stub:ident) => {
        impl Pass for $stub {
            const SIGNATURE: Signature<'static> = SPEC.forward;
            type Args<'a> = Args<'a>;
            type Params = i32;

            fn reborrow<'a>(args: &'a mut Args<'_>) -> Args<'a> {
                Args { x: args.x, y: args.y.reborrow(), mode: args.mode }
            }

            fn lend<R>(args: Args<'_>, f: impl FnOnce(&mut [TensorArg<'_>], &[u8]) -> R) -> R {
                f(&mut [TensorArg::input(args.x), TensorArg::output(args.y)], &args.mode.to_le_bytes())
            }

            fn give<'a>(args: Args<'a>, mut row: impl FnMut(TensorArg<'a>), scalars: impl FnOnce(&[u8])) {
                row(TensorArg::input(args.x));
                row(TensorArg::output(args.y));
                scalars(&args.mode.to_le_bytes());
            }

            fn reference(_: Args<'_>) -> Result<()> {
                Err(Error::from(Status::NotImplemented))
            }

            fn reference_on(_: &mut [TensorArg<'_>], _: &[u8]) -> Result<()> {
                Err(Error::from(Status::NotImplemented))
            }
        }
    };
}

/// The kernel with its forward pass only.
pub(crate) enum Forward {}
/// The kernel with both passes.
pub(crate) enum Both {}
/// The backward pass of [`Both`].
pub(crate) enum Backward {}

pass!(Forward);
pass!(Both);
pass!(Backward);

impl Kernel for Forward {
    const SPEC: KernelSpec<'static> = SPEC;
    type Backward = kernelpack_abi::NoBackward;
}

impl Kernel for Both {
    const SPEC: KernelSpec<'static> = WITH_BACKWARD;
    type Backward = Backward;
}
