#[allow(clippy::too_many_arguments, reason = "callers pass tensors and scalars by name")]
/// Multiplies every element by a factor.
pub fn scale_f32(x: &[f32], y: &mut [f32], factor: f32) -> Result<()> {
    for (y, x) in y.iter_mut().zip(x) {
        *y = x * factor;
    }
    Ok(())
}
/// The typed stub that hosts call the kernel [`scale_f32`](scale_f32()) with.
#[allow(unused_qualifications, reason = "paths are those of the enclosing scope")]
pub mod scale_f32 {
    #[allow(unused_imports, reason = "the types and constants that the function names")]
    use super::*;
    /// The tensors and scalars that the function takes.
    pub const SIGNATURE: ::kernelpack_guest::abi::Signature<'static> = ::kernelpack_guest::abi::Signature {
        symbols: &["n"],
        tensors: &[
            ::kernelpack_guest::abi::TensorSpec {
                name: "x",
                dtype: <f32 as ::kernelpack_guest::abi::Element>::DTYPE,
                role: ::kernelpack_guest::abi::Role::In,
                optional: false,
                dims: &[::kernelpack_guest::abi::Dim::Symbol(0u8)],
                len: ::kernelpack_guest::abi::Expr(&[]),
            },
            ::kernelpack_guest::abi::TensorSpec {
                name: "y",
                dtype: <f32 as ::kernelpack_guest::abi::Element>::DTYPE,
                role: ::kernelpack_guest::abi::Role::Out,
                optional: false,
                dims: &[::kernelpack_guest::abi::Dim::Symbol(0u8)],
                len: ::kernelpack_guest::abi::Expr(&[]),
            },
        ],
        params: &[
            ::kernelpack_guest::abi::ParamSpec {
                name: "factor",
                ty: ::kernelpack_guest::abi::ParamType::F32,
                default: ::core::option::Option::Some(
                    ::kernelpack_guest::abi::ParamValue::F32(Params::DEFAULT_FACTOR),
                ),
            },
        ],
    };
    /// The kernel's description, as its module and the pack's manifest record it.
    pub const SPEC: ::kernelpack_guest::abi::KernelSpec<'static> = ::kernelpack_guest::abi::KernelSpec {
        id: "scale_f32",
        name: "scale_f32",
        description: "Multiplies every element by a factor.",
        category: "arithmetic",
        family: "scale",
        entry_point: "scale_forward",
        fallback: "scale_f32_reference",
        limits: ::kernelpack_guest::abi::ResourceLimits {
            max_memory_pages: 16384u32,
            max_epoch_ticks: 1000u32,
            max_table_elements: 1024u32,
            max_instances: 64u32,
            max_stack_bytes: 524288u32,
        },
        lifecycle: ::kernelpack_guest::abi::Lifecycle {
            init: false,
            cleanup: false,
        },
        forward: SIGNATURE,
        backward: ::core::option::Option::None,
        split: &[0u8],
    };
    /// The scalar parameters.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Params {
        /// Scalar; the default is `2.0`.
        pub factor: f32,
    }
    impl ::core::default::Default for Params {
        fn default() -> Self {
            Self {
                factor: Params::DEFAULT_FACTOR,
            }
        }
    }
    impl Params {
        const DEFAULT_FACTOR: f32 = 2.0;
        const SIZE: usize = ::kernelpack_guest::abi::params::scalars_size(
            SIGNATURE.params,
        ) as usize;
        #[inline]
        fn encode(&self) -> [u8; Self::SIZE] {
            #[allow(unused_mut, reason = "a function may have no scalars")]
            let mut scalars = [0; Self::SIZE];
            {
                let bytes = self.factor.to_le_bytes();
                let at = const {
                    ::kernelpack_guest::abi::params::scalar_offset(
                        SIGNATURE.params,
                        0usize,
                    ) as usize
                };
                scalars[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            scalars
        }
        #[allow(dead_code, unused_variables, reason = "a function may have no scalars")]
        #[inline(always)]
        fn decode(
            scalars: ::kernelpack_guest::__private::Scalars<'_>,
        ) -> ::core::result::Result<Self, ::kernelpack_guest::__private::Fault> {
            ::core::result::Result::Ok(Self {
                factor: scalars
                    .f32(const {
                        ::kernelpack_guest::abi::params::scalar_offset(
                            SIGNATURE.params,
                            0usize,
                        ) as usize
                    })?,
            })
        }
    }
    const _: () = ::core::assert!(
        Params::DEFAULT_FACTOR.is_finite(),
        "a default must be finite, since JSON has no NaN or infinity"
    );
    /// The arguments of a call.
    #[derive(Debug)]
    pub struct Args<'a> {
        /// Input of shape \[n\].
        pub x: ::kernelpack_guest::abi::TensorView<'a, f32>,
        /// Output of shape \[n\].
        pub y: ::kernelpack_guest::abi::TensorViewMut<'a, f32>,
        /// Scalar; the default is `2.0`.
        pub factor: f32,
    }
    impl<'a> Args<'a> {
        /// Makes arguments without the optional inputs, and with the defaults of the scalars that have one.
        #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
        pub fn new(
            x: ::kernelpack_guest::abi::TensorView<'a, f32>,
            y: ::kernelpack_guest::abi::TensorViewMut<'a, f32>,
        ) -> Self {
            Self {
                x,
                y,
                factor: Params::DEFAULT_FACTOR,
            }
        }
        /// Replaces all scalars.
        pub fn with_params(self, params: Params) -> Self {
            Self {
                x: self.x,
                y: self.y,
                factor: params.factor,
            }
        }
        /// Borrows the arguments, so that they can be passed to a call and used again.
        #[inline]
        pub fn reborrow(&mut self) -> Args<'_> {
            Args {
                x: self.x,
                y: self.y.reborrow(),
                factor: self.factor,
            }
        }
        #[inline]
        fn params(&self) -> Params {
            Params { factor: self.factor }
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
            f(
                &mut [
                    ::kernelpack_guest::abi::TensorArg::input(args.x),
                    ::kernelpack_guest::abi::TensorArg::output(args.y),
                ],
                &scalars,
            )
        }
        #[allow(unused_mut, unused_variables, reason = "a function may have no tensors")]
        #[inline]
        fn give<'a>(
            args: Args<'a>,
            mut row: impl ::core::ops::FnMut(::kernelpack_guest::abi::TensorArg<'a>),
            scalars: impl ::core::ops::FnOnce(&[u8]),
        ) {
            scalars(&args.params().encode());
            row(::kernelpack_guest::abi::TensorArg::input(args.x));
            row(::kernelpack_guest::abi::TensorArg::output(args.y));
        }
        #[cfg(not(target_family = "wasm"))]
        fn reference(args: Args<'_>) -> ::kernelpack_guest::abi::Result<()> {
            #[allow(unused_variables, reason = "a function may use no symbol")]
            let symbols = ::kernelpack_guest::__private::bind(
                &SIGNATURE,
                &[
                    ::core::option::Option::Some(args.x.shape()),
                    ::core::option::Option::Some(args.y.shape()),
                ],
            )?;
            super::scale_f32(args.x.data(), args.y.into_data(), args.factor)
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
            let [row_0, row_1] = rows;
            <Self as ::kernelpack_guest::abi::Pass>::reference(Args {
                x: ::kernelpack_guest::__private::view::<f32>(row_0)?,
                y: ::kernelpack_guest::__private::view_mut::<f32>(row_1)?,
                factor: params.factor,
            })
        }
    }
    impl ::kernelpack_guest::abi::Kernel for Kernel {
        const SPEC: ::kernelpack_guest::abi::KernelSpec<'static> = SPEC;
        type Backward = ::kernelpack_guest::abi::NoBackward;
    }
    #[cfg(not(target_family = "wasm"))]
    #[allow(unsafe_code, reason = "a registry that is filled before main")]
    const _: () = {
        ::kernelpack_guest::__private::inventory::submit! {
            ::kernelpack_guest::abi::native::NativeKernel { spec : & SPEC, package :
            ::core::env!("CARGO_PKG_NAME"), forward : < Kernel as
            ::kernelpack_guest::abi::Pass > ::reference_on, backward :
            ::core::option::Option::None, }
        }
    };
    /// The inputs of a call whose results the host allocates.
    #[derive(Clone, Copy, Debug)]
    pub struct Inputs<'a> {
        /// Input of shape \[n\].
        pub x: ::kernelpack_guest::abi::TensorView<'a, f32>,
        /// Scalar; the default is `2.0`.
        pub factor: f32,
    }
    impl<'a> Inputs<'a> {
        /// Makes inputs without the optional ones, and with the defaults of the scalars that have one.
        #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
        pub fn new(x: ::kernelpack_guest::abi::TensorView<'a, f32>) -> Self {
            Self {
                x,
                factor: Params::DEFAULT_FACTOR,
            }
        }
        /// Replaces the scalars.
        pub fn with_params(self, params: Params) -> Self {
            Self {
                x: self.x,
                factor: params.factor,
            }
        }
    }
    /// The results of a call, allocated by the host.
    #[cfg(not(target_family = "wasm"))]
    #[derive(Clone, Debug, PartialEq)]
    pub struct Outputs {
        /// Output of shape \[n\].
        pub y: ::kernelpack_guest::abi::TensorBuf<f32>,
    }
    #[cfg(not(target_family = "wasm"))]
    impl ::kernelpack_guest::abi::Infer for Kernel {
        type Inputs<'a> = Inputs<'a>;
        type Outputs = Outputs;
        fn allocate(inputs: &Inputs<'_>) -> ::kernelpack_guest::abi::Result<Outputs> {
            #[allow(
                unused_variables,
                reason = "results may all have fixed shapes or start values"
            )]
            let symbols = ::kernelpack_guest::__private::bind(
                &SIGNATURE,
                &[
                    ::core::option::Option::Some(inputs.x.shape()),
                    ::core::option::Option::None,
                ],
            )?;
            ::core::result::Result::Ok(Outputs {
                y: ::kernelpack_guest::__private::allocate(&SIGNATURE, 1usize, &symbols)?,
            })
        }
        fn join<'a, 'b: 'a>(inputs: Inputs<'b>, outputs: &'a mut Outputs) -> Args<'a> {
            Args {
                x: inputs.x,
                y: outputs.y.view_mut(),
                factor: inputs.factor,
            }
        }
    }
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
        let argument_0 = frame.input::<f32>(0usize)?;
        let argument_1 = frame.take_mut::<f32>(1usize)?;
        let argument_2 = params.factor;
        ::core::result::Result::Ok(super::scale_f32(argument_0, argument_1, argument_2))
    }
    #[cfg(target_family = "wasm")]
    #[allow(
        unsafe_code,
        reason = "an export needs a name that no other function of the module has; it carries the id"
    )]
    const _: () = {
        #[unsafe(export_name = "__kernelpack_forward_scale_f32")]
        extern "C" fn __forward(descriptor: u32) -> i32 {
            ::kernelpack_guest::__private::pass::<Kernel>(descriptor, __run)
        }
        #[unsafe(export_name = "__kernelpack_batch_scale_f32")]
        extern "C" fn __batch(descriptors: u32, count: u32) -> i64 {
            ::kernelpack_guest::__private::batch(
                descriptors,
                count,
                |descriptor| __forward(descriptor),
            )
        }
        #[unsafe(export_name = "__kernelpack_info_scale_f32")]
        extern "C" fn __info(info: u32) -> i32 {
            ::kernelpack_guest::__private::info(info, &SPEC)
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
}
