#[allow(clippy::too_many_arguments, reason = "callers pass tensors and scalars by name")]
#[cfg(not(miri))]
fn mix(
    x: &[half::f16],
    blocks: Option<&[BlockQ8_0]>,
    state: &mut [self::Weight],
    y: &mut [u32],
    tmp: &mut [f32],
    gain: f32,
    offset: i32,
    seed: u32,
    causal: bool,
    rows: usize,
) -> Result<()> {
    Ok(())
}
#[cfg(not(miri))]
/// The typed stub that hosts call the kernel [`mix`](mix()) with.
#[allow(unused_qualifications, reason = "paths are those of the enclosing scope")]
mod mix {
    #[allow(unused_imports, reason = "the types and constants that the function names")]
    use super::*;
    /// The tensors and scalars that the function takes.
    pub const SIGNATURE: crate::toolkit::abi::Signature<'static> = crate::toolkit::abi::Signature {
        symbols: &["rows", "dim"],
        tensors: &[
            crate::toolkit::abi::TensorSpec {
                name: "x",
                dtype: <half::f16 as crate::toolkit::abi::Element>::DTYPE,
                role: crate::toolkit::abi::Role::In,
                optional: false,
                dims: &[
                    crate::toolkit::abi::Dim::Symbol(0u8),
                    crate::toolkit::abi::Dim::Symbol(1u8),
                ],
                len: crate::toolkit::abi::Expr(&[]),
            },
            crate::toolkit::abi::TensorSpec {
                name: "blocks",
                dtype: <BlockQ8_0 as crate::toolkit::abi::Element>::DTYPE,
                role: crate::toolkit::abi::Role::In,
                optional: true,
                dims: &[
                    crate::toolkit::abi::Dim::Symbol(0u8),
                    crate::toolkit::abi::Dim::Div(1u8, 32u32),
                    crate::toolkit::abi::Dim::Fixed(2u32),
                ],
                len: crate::toolkit::abi::Expr(&[]),
            },
            crate::toolkit::abi::TensorSpec {
                name: "state",
                dtype: <<super::Weight as crate::toolkit::__private::IsElement>::It as crate::toolkit::abi::Element>::DTYPE,
                role: crate::toolkit::abi::Role::InOut,
                optional: false,
                dims: &[crate::toolkit::abi::Dim::Mul(1u8, 4u32)],
                len: crate::toolkit::abi::Expr(&[]),
            },
            crate::toolkit::abi::TensorSpec {
                name: "y",
                dtype: <u32 as crate::toolkit::abi::Element>::DTYPE,
                role: crate::toolkit::abi::Role::Out,
                optional: false,
                dims: &[],
                len: crate::toolkit::abi::Expr(&[]),
            },
            crate::toolkit::abi::TensorSpec {
                name: "tmp",
                dtype: <f32 as crate::toolkit::abi::Element>::DTYPE,
                role: crate::toolkit::abi::Role::Scratch,
                optional: false,
                dims: &[],
                len: crate::toolkit::abi::Expr(
                    &[
                        crate::toolkit::abi::Op::Symbol(0u8),
                        crate::toolkit::abi::Op::Const(1u32),
                        crate::toolkit::abi::Op::Add,
                        crate::toolkit::abi::Op::Symbol(1u8),
                        crate::toolkit::abi::Op::Mul,
                    ],
                ),
            },
        ],
        params: &[
            crate::toolkit::abi::ParamSpec {
                name: "gain",
                ty: crate::toolkit::abi::ParamType::F32,
                default: ::core::option::Option::None,
            },
            crate::toolkit::abi::ParamSpec {
                name: "offset",
                ty: crate::toolkit::abi::ParamType::I32,
                default: ::core::option::Option::Some(
                    crate::toolkit::abi::ParamValue::I32(Params::DEFAULT_OFFSET),
                ),
            },
            crate::toolkit::abi::ParamSpec {
                name: "seed",
                ty: crate::toolkit::abi::ParamType::U32,
                default: ::core::option::Option::Some(
                    crate::toolkit::abi::ParamValue::U32(Params::DEFAULT_SEED),
                ),
            },
            crate::toolkit::abi::ParamSpec {
                name: "causal",
                ty: crate::toolkit::abi::ParamType::Bool,
                default: ::core::option::Option::Some(
                    crate::toolkit::abi::ParamValue::Bool(Params::DEFAULT_CAUSAL),
                ),
            },
        ],
    };
    /// The kernel's description, as its module and the pack's manifest record it.
    pub const SPEC: crate::toolkit::abi::KernelSpec<'static> = crate::toolkit::abi::KernelSpec {
        id: "mix",
        name: "mix",
        description: "",
        category: "mix",
        family: "mix",
        entry_point: "mix_forward",
        fallback: "",
        limits: crate::toolkit::abi::ResourceLimits {
            max_memory_pages: 64u32,
            max_epoch_ticks: 1000u32,
            max_table_elements: 1024u32,
            max_instances: 64u32,
            max_stack_bytes: 524288u32,
        },
        lifecycle: crate::toolkit::abi::Lifecycle {
            init: false,
            cleanup: false,
        },
        forward: SIGNATURE,
        backward: ::core::option::Option::None,
        split: &[],
    };
    /// The scalar parameters.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Params {
        /// Scalar.
        pub gain: f32,
        /// Scalar; the default is `-1`.
        pub offset: i32,
        /// Scalar; the default is `super::SEED`.
        pub seed: u32,
        /// Scalar; the default is `true`.
        pub causal: bool,
    }
    impl Params {
        const DEFAULT_OFFSET: i32 = -1;
        const DEFAULT_SEED: u32 = super::super::SEED;
        const DEFAULT_CAUSAL: bool = true;
        const SIZE: usize = crate::toolkit::abi::params::scalars_size(SIGNATURE.params)
            as usize;
        #[inline]
        fn encode(&self) -> [u8; Self::SIZE] {
            #[allow(unused_mut, reason = "a function may have no scalars")]
            let mut scalars = [0; Self::SIZE];
            {
                let bytes = self.gain.to_le_bytes();
                let at = const {
                    crate::toolkit::abi::params::scalar_offset(SIGNATURE.params, 0usize)
                        as usize
                };
                scalars[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            {
                let bytes = self.offset.to_le_bytes();
                let at = const {
                    crate::toolkit::abi::params::scalar_offset(SIGNATURE.params, 1usize)
                        as usize
                };
                scalars[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            {
                let bytes = self.seed.to_le_bytes();
                let at = const {
                    crate::toolkit::abi::params::scalar_offset(SIGNATURE.params, 2usize)
                        as usize
                };
                scalars[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            {
                let bytes = [u8::from(self.causal)];
                let at = const {
                    crate::toolkit::abi::params::scalar_offset(SIGNATURE.params, 3usize)
                        as usize
                };
                scalars[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            scalars
        }
        #[allow(dead_code, unused_variables, reason = "a function may have no scalars")]
        #[inline(always)]
        fn decode(
            scalars: crate::toolkit::__private::Scalars<'_>,
        ) -> ::core::result::Result<Self, crate::toolkit::__private::Fault> {
            ::core::result::Result::Ok(Self {
                gain: scalars
                    .f32(const {
                        crate::toolkit::abi::params::scalar_offset(
                            SIGNATURE.params,
                            0usize,
                        ) as usize
                    })?,
                offset: scalars
                    .i32(const {
                        crate::toolkit::abi::params::scalar_offset(
                            SIGNATURE.params,
                            1usize,
                        ) as usize
                    })?,
                seed: scalars
                    .u32(const {
                        crate::toolkit::abi::params::scalar_offset(
                            SIGNATURE.params,
                            2usize,
                        ) as usize
                    })?,
                causal: scalars
                    .bool(const {
                        crate::toolkit::abi::params::scalar_offset(
                            SIGNATURE.params,
                            3usize,
                        ) as usize
                    })?,
            })
        }
    }
    /// The arguments of a call.
    #[derive(Debug)]
    pub struct Args<'a> {
        /// Input of shape \[rows, dim\].
        pub x: crate::toolkit::abi::TensorView<'a, half::f16>,
        /// Optional input of shape \[rows, dim / 32, 2\].
        pub blocks: ::core::option::Option<
            crate::toolkit::abi::TensorView<'a, BlockQ8_0>,
        >,
        /// In-out tensor of shape \[dim * 4\].
        pub state: crate::toolkit::abi::TensorViewMut<
            'a,
            <super::Weight as crate::toolkit::__private::IsElement>::It,
        >,
        /// Output of shape \[\].
        pub y: crate::toolkit::abi::TensorViewMut<'a, u32>,
        /// Scalar.
        pub gain: f32,
        /// Scalar; the default is `-1`.
        pub offset: i32,
        /// Scalar; the default is `super::SEED`.
        pub seed: u32,
        /// Scalar; the default is `true`.
        pub causal: bool,
    }
    impl<'a> Args<'a> {
        /// Makes arguments without the optional inputs, and with the defaults of the scalars that have one.
        #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
        pub fn new(
            x: crate::toolkit::abi::TensorView<'a, half::f16>,
            state: crate::toolkit::abi::TensorViewMut<
                'a,
                <super::Weight as crate::toolkit::__private::IsElement>::It,
            >,
            y: crate::toolkit::abi::TensorViewMut<'a, u32>,
            gain: f32,
        ) -> Self {
            Self {
                x,
                blocks: ::core::option::Option::None,
                state,
                y,
                gain,
                offset: Params::DEFAULT_OFFSET,
                seed: Params::DEFAULT_SEED,
                causal: Params::DEFAULT_CAUSAL,
            }
        }
        /// Replaces all scalars.
        pub fn with_params(self, params: Params) -> Self {
            Self {
                x: self.x,
                blocks: self.blocks,
                state: self.state,
                y: self.y,
                gain: params.gain,
                offset: params.offset,
                seed: params.seed,
                causal: params.causal,
            }
        }
        /// Borrows the arguments, so that they can be passed to a call and used again.
        #[inline]
        pub fn reborrow(&mut self) -> Args<'_> {
            Args {
                x: self.x,
                blocks: self.blocks,
                state: self.state.reborrow(),
                y: self.y.reborrow(),
                gain: self.gain,
                offset: self.offset,
                seed: self.seed,
                causal: self.causal,
            }
        }
        #[inline]
        fn params(&self) -> Params {
            Params {
                gain: self.gain,
                offset: self.offset,
                seed: self.seed,
                causal: self.causal,
            }
        }
    }
    /// Stands for the kernel where a type is needed, as in `pack.kernel::<Kernel>()`.
    #[derive(Clone, Copy, Debug)]
    pub struct Kernel;
    impl crate::toolkit::abi::Pass for Kernel {
        const SIGNATURE: crate::toolkit::abi::Signature<'static> = SIGNATURE;
        type Args<'a> = Args<'a>;
        type Params = Params;
        #[inline]
        fn reborrow<'a>(args: &'a mut Args<'_>) -> Args<'a> {
            args.reborrow()
        }
        fn lend<R>(
            args: Args<'_>,
            f: impl ::core::ops::FnOnce(
                &mut [crate::toolkit::abi::TensorArg<'_>],
                &[u8],
            ) -> R,
        ) -> R {
            let scalars = args.params().encode();
            f(
                &mut [
                    crate::toolkit::abi::TensorArg::input(args.x),
                    crate::toolkit::abi::TensorArg::optional(args.blocks),
                    crate::toolkit::abi::TensorArg::inout(args.state),
                    crate::toolkit::abi::TensorArg::output(args.y),
                    crate::toolkit::abi::TensorArg::scratch::<f32>(),
                ],
                &scalars,
            )
        }
        #[allow(unused_mut, unused_variables, reason = "a function may have no tensors")]
        #[inline]
        fn give<'a>(
            args: Args<'a>,
            mut row: impl ::core::ops::FnMut(crate::toolkit::abi::TensorArg<'a>),
            scalars: impl ::core::ops::FnOnce(&[u8]),
        ) {
            scalars(&args.params().encode());
            row(crate::toolkit::abi::TensorArg::input(args.x));
            row(crate::toolkit::abi::TensorArg::optional(args.blocks));
            row(crate::toolkit::abi::TensorArg::inout(args.state));
            row(crate::toolkit::abi::TensorArg::output(args.y));
            row(crate::toolkit::abi::TensorArg::scratch::<f32>());
        }
        #[cfg(not(target_family = "wasm"))]
        fn reference(args: Args<'_>) -> crate::toolkit::abi::Result<()> {
            #[allow(unused_variables, reason = "a function may use no symbol")]
            let symbols = crate::toolkit::__private::bind(
                &SIGNATURE,
                &[
                    ::core::option::Option::Some(args.x.shape()),
                    args.blocks.as_ref().map(|tensor| tensor.shape()),
                    ::core::option::Option::Some(args.state.shape()),
                    ::core::option::Option::Some(args.y.shape()),
                    ::core::option::Option::None,
                ],
            )?;
            super::mix(
                args.x.data(),
                args.blocks.map(|tensor| tensor.data()),
                args.state.into_data(),
                args.y.into_data(),
                &mut crate::toolkit::__private::scratch::<
                    f32,
                >(&SIGNATURE, 4usize, &symbols)?,
                args.gain,
                args.offset,
                args.seed,
                args.causal,
                crate::toolkit::__private::extent(&symbols, 0u8),
            )
        }
        #[cfg(not(target_family = "wasm"))]
        fn reference_on(
            tensors: &mut [crate::toolkit::abi::TensorArg<'_>],
            scalars: &[u8],
        ) -> crate::toolkit::abi::Result<()> {
            #[allow(
                unused_variables,
                reason = "a function may have scratch tensors, or no scalars"
            )]
            let (params, rows) = (
                Params::decode(crate::toolkit::__private::Scalars::new(scalars))?,
                crate::toolkit::__private::rows(tensors)?,
            );
            #[allow(unused_variables, reason = "rows of scratch tensors are not read")]
            let [row_0, row_1, row_2, row_3, row_4] = rows;
            <Self as crate::toolkit::abi::Pass>::reference(Args {
                x: crate::toolkit::__private::view::<half::f16>(row_0)?,
                blocks: crate::toolkit::__private::optional_view::<BlockQ8_0>(row_1)?,
                state: crate::toolkit::__private::view_mut::<
                    <super::Weight as crate::toolkit::__private::IsElement>::It,
                >(row_2)?,
                y: crate::toolkit::__private::view_mut::<u32>(row_3)?,
                gain: params.gain,
                offset: params.offset,
                seed: params.seed,
                causal: params.causal,
            })
        }
    }
    impl crate::toolkit::abi::Kernel for Kernel {
        const SPEC: crate::toolkit::abi::KernelSpec<'static> = SPEC;
        type Backward = crate::toolkit::abi::NoBackward;
    }
    #[cfg(not(target_family = "wasm"))]
    #[allow(unsafe_code, reason = "a registry that is filled before main")]
    const _: () = {
        crate::toolkit::__private::inventory::submit! {
            crate ::toolkit::abi::native::NativeKernel { spec : & SPEC, package :
            ::core::env!("CARGO_PKG_NAME"), forward : < Kernel as crate
            ::toolkit::abi::Pass > ::reference_on, backward :
            ::core::option::Option::None, }
        }
    };
    /// The inputs of a call whose results the host allocates.
    #[derive(Clone, Copy, Debug)]
    pub struct Inputs<'a> {
        /// Input of shape \[rows, dim\].
        pub x: crate::toolkit::abi::TensorView<'a, half::f16>,
        /// Optional input of shape \[rows, dim / 32, 2\].
        pub blocks: ::core::option::Option<
            crate::toolkit::abi::TensorView<'a, BlockQ8_0>,
        >,
        /// Initial value of an in-out tensor of shape \[dim * 4\].
        pub state: crate::toolkit::abi::TensorView<
            'a,
            <super::Weight as crate::toolkit::__private::IsElement>::It,
        >,
        /// Scalar.
        pub gain: f32,
        /// Scalar; the default is `-1`.
        pub offset: i32,
        /// Scalar; the default is `super::SEED`.
        pub seed: u32,
        /// Scalar; the default is `true`.
        pub causal: bool,
    }
    impl<'a> Inputs<'a> {
        /// Makes inputs without the optional ones, and with the defaults of the scalars that have one.
        #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
        pub fn new(
            x: crate::toolkit::abi::TensorView<'a, half::f16>,
            state: crate::toolkit::abi::TensorView<
                'a,
                <super::Weight as crate::toolkit::__private::IsElement>::It,
            >,
            gain: f32,
        ) -> Self {
            Self {
                x,
                blocks: ::core::option::Option::None,
                state,
                gain,
                offset: Params::DEFAULT_OFFSET,
                seed: Params::DEFAULT_SEED,
                causal: Params::DEFAULT_CAUSAL,
            }
        }
        /// Replaces the scalars.
        pub fn with_params(self, params: Params) -> Self {
            Self {
                x: self.x,
                blocks: self.blocks,
                state: self.state,
                gain: params.gain,
                offset: params.offset,
                seed: params.seed,
                causal: params.causal,
            }
        }
    }
    /// The results of a call, allocated by the host.
    #[cfg(not(target_family = "wasm"))]
    #[derive(Clone, Debug, PartialEq)]
    pub struct Outputs {
        /// In-out tensor of shape \[dim * 4\].
        pub state: crate::toolkit::abi::TensorBuf<
            <super::Weight as crate::toolkit::__private::IsElement>::It,
        >,
        /// Output of shape \[\].
        pub y: crate::toolkit::abi::TensorBuf<u32>,
    }
    #[cfg(not(target_family = "wasm"))]
    impl crate::toolkit::abi::Infer for Kernel {
        type Inputs<'a> = Inputs<'a>;
        type Outputs = Outputs;
        fn allocate(inputs: &Inputs<'_>) -> crate::toolkit::abi::Result<Outputs> {
            #[allow(
                unused_variables,
                reason = "results may all have fixed shapes or start values"
            )]
            let symbols = crate::toolkit::__private::bind(
                &SIGNATURE,
                &[
                    ::core::option::Option::Some(inputs.x.shape()),
                    inputs.blocks.as_ref().map(|tensor| tensor.shape()),
                    ::core::option::Option::Some(inputs.state.shape()),
                    ::core::option::Option::None,
                    ::core::option::Option::None,
                ],
            )?;
            ::core::result::Result::Ok(Outputs {
                state: inputs.state.to_buf(),
                y: crate::toolkit::__private::allocate(&SIGNATURE, 3usize, &symbols)?,
            })
        }
        fn join<'a, 'b: 'a>(inputs: Inputs<'b>, outputs: &'a mut Outputs) -> Args<'a> {
            Args {
                x: inputs.x,
                blocks: inputs.blocks,
                state: outputs.state.view_mut(),
                y: outputs.y.view_mut(),
                gain: inputs.gain,
                offset: inputs.offset,
                seed: inputs.seed,
                causal: inputs.causal,
            }
        }
    }
    #[cfg(target_family = "wasm")]
    #[doc(hidden)]
    #[inline(always)]
    pub fn __run(
        frame: &mut crate::toolkit::__private::Frame<'_, Kernel>,
    ) -> ::core::result::Result<
        crate::toolkit::abi::Result<()>,
        crate::toolkit::__private::Fault,
    > {
        #[allow(unused_variables, reason = "a function may have no scalars")]
        let params = Params::decode(frame.scalars())?;
        let argument_0 = frame.input::<half::f16>(0usize)?;
        let argument_1 = frame.optional_input::<BlockQ8_0>(1usize)?;
        let argument_2 = frame
            .take_mut::<
                <super::Weight as crate::toolkit::__private::IsElement>::It,
            >(2usize)?;
        let argument_3 = frame.take_mut::<u32>(3usize)?;
        let argument_4 = frame.take_mut::<f32>(4usize)?;
        let argument_5 = params.gain;
        let argument_6 = params.offset;
        let argument_7 = params.seed;
        let argument_8 = params.causal;
        let argument_9 = frame.extent(0u8);
        ::core::result::Result::Ok(
            super::mix(
                argument_0,
                argument_1,
                argument_2,
                argument_3,
                argument_4,
                argument_5,
                argument_6,
                argument_7,
                argument_8,
                argument_9,
            ),
        )
    }
    #[cfg(target_family = "wasm")]
    #[allow(
        unsafe_code,
        reason = "an export needs a name that no other function of the module has; it carries the id"
    )]
    const _: () = {
        #[unsafe(export_name = "__kernelpack_forward_mix")]
        extern "C" fn __forward(descriptor: u32) -> i32 {
            crate::toolkit::__private::pass::<Kernel>(descriptor, __run)
        }
        #[unsafe(export_name = "__kernelpack_batch_mix")]
        extern "C" fn __batch(descriptors: u32, count: u32) -> i64 {
            crate::toolkit::__private::batch(
                descriptors,
                count,
                |descriptor| __forward(descriptor),
            )
        }
        #[unsafe(export_name = "__kernelpack_info_mix")]
        extern "C" fn __info(info: u32) -> i32 {
            crate::toolkit::__private::info(info, &SPEC)
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
        static ENTRY: [u8; crate::toolkit::abi::section::encoded_len(&SPEC, WRITER)] = crate::toolkit::abi::section::encode(
            &SPEC,
            WRITER,
        );
    };
}
