#[allow(clippy::too_many_arguments, reason = "callers pass tensors and scalars by name")]
pub fn fill(y: &mut [f32]) -> Result<()> {
    Ok(())
}
/// The typed stub that hosts call the kernel [`fill`](fill()) with.
#[allow(unused_qualifications, reason = "paths are those of the enclosing scope")]
pub mod fill {
    #[allow(unused_imports, reason = "the types and constants that the function names")]
    use super::*;
    /// The tensors and scalars that the function takes.
    pub const SIGNATURE: ::kernelpack_guest::abi::Signature<'static> = ::kernelpack_guest::abi::Signature {
        symbols: &[],
        tensors: &[
            ::kernelpack_guest::abi::TensorSpec {
                name: "y",
                dtype: <f32 as ::kernelpack_guest::abi::Element>::DTYPE,
                role: ::kernelpack_guest::abi::Role::Out,
                optional: false,
                dims: &[::kernelpack_guest::abi::Dim::Fixed(16u32)],
                len: ::kernelpack_guest::abi::Expr(&[]),
            },
        ],
        params: &[],
    };
    /// The kernel's description, as its module and the pack's manifest record it.
    pub const SPEC: ::kernelpack_guest::abi::KernelSpec<'static> = ::kernelpack_guest::abi::KernelSpec {
        id: "fill",
        name: "fill",
        description: "",
        category: "fill",
        family: "fill",
        entry_point: "fill_forward",
        fallback: "fill_reference",
        limits: ::kernelpack_guest::abi::ResourceLimits {
            max_memory_pages: 16384u32,
            max_epoch_ticks: 1000u32,
            max_table_elements: 1024u32,
            max_instances: 64u32,
            max_stack_bytes: 524288u32,
        },
        lifecycle: ::kernelpack_guest::abi::Lifecycle {
            init: true,
            cleanup: true,
        },
        forward: SIGNATURE,
        backward: ::core::option::Option::Some(fill_backward::SIGNATURE),
        split: &[],
    };
    /// The scalar parameters.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Params {}
    impl ::core::default::Default for Params {
        fn default() -> Self {
            Self {}
        }
    }
    impl Params {
        const SIZE: usize = ::kernelpack_guest::abi::params::scalars_size(
            SIGNATURE.params,
        ) as usize;
        #[inline]
        fn encode(&self) -> [u8; Self::SIZE] {
            #[allow(unused_mut, reason = "a function may have no scalars")]
            let mut scalars = [0; Self::SIZE];
            scalars
        }
        #[allow(dead_code, unused_variables, reason = "a function may have no scalars")]
        #[inline(always)]
        fn decode(
            scalars: ::kernelpack_guest::__private::Scalars<'_>,
        ) -> ::core::result::Result<Self, ::kernelpack_guest::__private::Fault> {
            ::core::result::Result::Ok(Self {})
        }
    }
    /// The arguments of a call.
    #[derive(Debug)]
    pub struct Args<'a> {
        /// Output of shape \[16\].
        pub y: ::kernelpack_guest::abi::TensorViewMut<'a, f32>,
    }
    impl<'a> Args<'a> {
        /// Makes arguments without the optional inputs, and with the defaults of the scalars that have one.
        #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
        pub fn new(y: ::kernelpack_guest::abi::TensorViewMut<'a, f32>) -> Self {
            Self { y }
        }
        /// Replaces all scalars.
        pub fn with_params(self, params: Params) -> Self {
            Self { y: self.y }
        }
        /// Borrows the arguments, so that they can be passed to a call and used again.
        #[inline]
        pub fn reborrow(&mut self) -> Args<'_> {
            Args { y: self.y.reborrow() }
        }
        #[inline]
        fn params(&self) -> Params {
            Params {}
        }
    }
    /// Stands for the kernel where a type is needed, as in `pack.kernel::<Kernel>()`.
    #[derive(Clone, Copy, Debug)]
    pub struct Kernel;
    impl ::kernelpack_guest::abi::Pass for Kernel {
        const SIGNATURE: ::kernelpack_guest::abi::Signature<'static> = SIGNATURE;
        type Args<'a> = Args<'a>;
        type Params = Params;
        #[inline]
        fn reborrow<'a>(args: &'a mut Args<'_>) -> Args<'a> {
            args.reborrow()
        }
        fn lend<R>(
            args: Args<'_>,
            f: impl ::core::ops::FnOnce(
                &mut [::kernelpack_guest::abi::TensorArg<'_>],
                &[u8],
            ) -> R,
        ) -> R {
            let scalars = args.params().encode();
            f(&mut [::kernelpack_guest::abi::TensorArg::output(args.y)], &scalars)
        }
        #[allow(unused_mut, unused_variables, reason = "a function may have no tensors")]
        #[inline]
        fn give<'a>(
            args: Args<'a>,
            mut row: impl ::core::ops::FnMut(::kernelpack_guest::abi::TensorArg<'a>),
            scalars: impl ::core::ops::FnOnce(&[u8]),
        ) {
            scalars(&args.params().encode());
            row(::kernelpack_guest::abi::TensorArg::output(args.y));
        }
        #[cfg(not(target_family = "wasm"))]
        fn reference(args: Args<'_>) -> ::kernelpack_guest::abi::Result<()> {
            #[allow(unused_variables, reason = "a function may use no symbol")]
            let symbols = ::kernelpack_guest::__private::bind(
                &SIGNATURE,
                &[::core::option::Option::Some(args.y.shape())],
            )?;
            super::fill(args.y.into_data())
        }
        #[cfg(not(target_family = "wasm"))]
        fn reference_on(
            tensors: &mut [::kernelpack_guest::abi::TensorArg<'_>],
            scalars: &[u8],
        ) -> ::kernelpack_guest::abi::Result<()> {
            #[allow(
                unused_variables,
                reason = "a function may have scratch tensors, or no scalars"
            )]
            let (params, rows) = (
                Params::decode(::kernelpack_guest::__private::Scalars::new(scalars))?,
                ::kernelpack_guest::__private::rows(tensors)?,
            );
            #[allow(unused_variables, reason = "rows of scratch tensors are not read")]
            let [row_0] = rows;
            <Self as ::kernelpack_guest::abi::Pass>::reference(Args {
                y: ::kernelpack_guest::__private::view_mut::<f32>(row_0)?,
            })
        }
    }
    impl ::kernelpack_guest::abi::Kernel for Kernel {
        const SPEC: ::kernelpack_guest::abi::KernelSpec<'static> = SPEC;
        type Backward = fill_backward::Backward;
    }
    #[cfg(not(target_family = "wasm"))]
    #[allow(unsafe_code, reason = "a registry that is filled before main")]
    const _: () = {
        ::kernelpack_guest::__private::inventory::submit! {
            ::kernelpack_guest::abi::native::NativeKernel { spec : & SPEC, package :
            ::core::env!("CARGO_PKG_NAME"), forward : < Kernel as
            ::kernelpack_guest::abi::Pass > ::reference_on, backward :
            ::core::option::Option::Some(<< Kernel as ::kernelpack_guest::abi::Kernel >
            ::Backward as ::kernelpack_guest::abi::Pass > ::reference_on), }
        }
    };
    #[cfg(target_family = "wasm")]
    #[doc(hidden)]
    #[inline(always)]
    pub fn __run(
        frame: &mut ::kernelpack_guest::__private::Frame<'_, Kernel>,
    ) -> ::core::result::Result<
        ::kernelpack_guest::abi::Result<()>,
        ::kernelpack_guest::__private::Fault,
    > {
        #[allow(unused_variables, reason = "a function may have no scalars")]
        let params = Params::decode(frame.scalars())?;
        let argument_0 = frame.take_mut::<f32>(0usize)?;
        ::core::result::Result::Ok(super::fill(argument_0))
    }
    #[cfg(target_family = "wasm")]
    #[allow(
        unsafe_code,
        reason = "an export needs a name that no other function of the module has; it carries the id"
    )]
    const _: () = {
        #[unsafe(export_name = "__kernelpack_forward_fill")]
        extern "C" fn __forward(descriptor: u32) -> i32 {
            ::kernelpack_guest::__private::pass::<Kernel>(descriptor, __run)
        }
        #[unsafe(export_name = "__kernelpack_batch_fill")]
        extern "C" fn __batch(descriptors: u32, count: u32) -> i64 {
            ::kernelpack_guest::__private::batch(
                descriptors,
                count,
                |descriptor| __forward(descriptor),
            )
        }
        #[unsafe(export_name = "__kernelpack_info_fill")]
        extern "C" fn __info(info: u32) -> i32 {
            ::kernelpack_guest::__private::info(info, &SPEC)
        }
        #[unsafe(export_name = "__kernelpack_backward_fill")]
        extern "C" fn __backward(descriptor: u32) -> i32 {
            ::kernelpack_guest::__private::pass::<
                fill_backward::Backward,
            >(descriptor, fill_backward::__run)
        }
        #[unsafe(export_name = "__kernelpack_init_fill")]
        extern "C" fn __init(params: u32, size: u32) -> i32 {
            ::kernelpack_guest::__private::init(
                params,
                size,
                |scalars| init(&Params::decode(scalars)?),
            )
        }
        #[unsafe(export_name = "__kernelpack_cleanup_fill")]
        extern "C" fn __cleanup() -> i32 {
            ::kernelpack_guest::__private::cleanup(|| super::cleanup())
        }
    };
    #[cfg(target_family = "wasm")]
    #[allow(
        unsafe_code,
        reason = "the bytes go into a custom section, where nothing else reads or runs them"
    )]
    const _: () = {
        const WRITER: &str = ::core::concat!(
            ::core::env!("CARGO_PKG_NAME"), " ", ::core::env!("CARGO_PKG_VERSION")
        );
        #[unsafe(link_section = "kernelpack.spec")]
        static ENTRY: [u8; ::kernelpack_guest::abi::section::encoded_len(
            &SPEC,
            WRITER,
        )] = ::kernelpack_guest::abi::section::encode(&SPEC, WRITER);
    };
    const _: fn(&Params) -> ::kernelpack_guest::abi::Result<()> = init;
    const _: fn() -> ::kernelpack_guest::abi::Result<()> = super::cleanup;
}
