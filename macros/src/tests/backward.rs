#[allow(clippy::too_many_arguments, reason = "callers pass tensors and scalars by name")]
pub fn fill_backward(dy: &[f32], dx: &mut [f32]) -> Result<()> {
    Ok(())
}
/// The typed stub that hosts call the backward pass [`fill_backward`](fill_backward()) with.
#[allow(unused_qualifications, reason = "paths are those of the enclosing scope")]
pub mod fill_backward {
    #[allow(unused_imports, reason = "the types and constants that the function names")]
    use super::*;
    /// The tensors and scalars that the function takes.
    pub const SIGNATURE: ::kernelpack_guest::abi::Signature<'static> = ::kernelpack_guest::abi::Signature {
        symbols: &[],
        tensors: &[
            ::kernelpack_guest::abi::TensorSpec {
                name: "dy",
                dtype: <f32 as ::kernelpack_guest::abi::Element>::DTYPE,
                role: ::kernelpack_guest::abi::Role::In,
                optional: false,
                dims: &[::kernelpack_guest::abi::Dim::Fixed(16u32)],
                len: ::kernelpack_guest::abi::Expr(&[]),
            },
            ::kernelpack_guest::abi::TensorSpec {
                name: "dx",
                dtype: <f32 as ::kernelpack_guest::abi::Element>::DTYPE,
                role: ::kernelpack_guest::abi::Role::Out,
                optional: false,
                dims: &[::kernelpack_guest::abi::Dim::Fixed(16u32)],
                len: ::kernelpack_guest::abi::Expr(&[]),
            },
        ],
        params: &[],
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
        /// Input of shape \[16\].
        pub dy: ::kernelpack_guest::abi::TensorView<'a, f32>,
        /// Output of shape \[16\].
        pub dx: ::kernelpack_guest::abi::TensorViewMut<'a, f32>,
    }
    impl<'a> Args<'a> {
        /// Makes arguments without the optional inputs, and with the defaults of the scalars that have one.
        #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
        pub fn new(
            dy: ::kernelpack_guest::abi::TensorView<'a, f32>,
            dx: ::kernelpack_guest::abi::TensorViewMut<'a, f32>,
        ) -> Self {
            Self { dy, dx }
        }
        /// Replaces all scalars.
        pub fn with_params(self, params: Params) -> Self {
            Self { dy: self.dy, dx: self.dx }
        }
        /// Borrows the arguments, so that they can be passed to a call and used again.
        #[inline]
        pub fn reborrow(&mut self) -> Args<'_> {
            Args {
                dy: self.dy,
                dx: self.dx.reborrow(),
            }
        }
        #[inline]
        fn params(&self) -> Params {
            Params {}
        }
    }
    /// Stands for the backward pass where a type is needed.
    #[derive(Clone, Copy, Debug)]
    pub struct Backward;
    impl ::kernelpack_guest::abi::Pass for Backward {
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
                    ::kernelpack_guest::abi::TensorArg::input(args.dy),
                    ::kernelpack_guest::abi::TensorArg::output(args.dx),
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
            row(::kernelpack_guest::abi::TensorArg::input(args.dy));
            row(::kernelpack_guest::abi::TensorArg::output(args.dx));
        }
        #[cfg(not(target_family = "wasm"))]
        fn reference(args: Args<'_>) -> ::kernelpack_guest::abi::Result<()> {
            #[allow(unused_variables, reason = "a function may use no symbol")]
            let symbols = ::kernelpack_guest::__private::bind(
                &SIGNATURE,
                &[
                    ::core::option::Option::Some(args.dy.shape()),
                    ::core::option::Option::Some(args.dx.shape()),
                ],
            )?;
            super::fill_backward(args.dy.data(), args.dx.into_data())
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
                dy: ::kernelpack_guest::__private::view::<f32>(row_0)?,
                dx: ::kernelpack_guest::__private::view_mut::<f32>(row_1)?,
            })
        }
    }
    /// The inputs of a call whose results the host allocates.
    #[derive(Clone, Copy, Debug)]
    pub struct Inputs<'a> {
        /// Input of shape \[16\].
        pub dy: ::kernelpack_guest::abi::TensorView<'a, f32>,
    }
    impl<'a> Inputs<'a> {
        /// Makes inputs without the optional ones, and with the defaults of the scalars that have one.
        #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
        pub fn new(dy: ::kernelpack_guest::abi::TensorView<'a, f32>) -> Self {
            Self { dy }
        }
        /// Replaces the scalars.
        pub fn with_params(self, params: Params) -> Self {
            Self { dy: self.dy }
        }
    }
    /// The results of a call, allocated by the host.
    #[cfg(not(target_family = "wasm"))]
    #[derive(Clone, Debug, PartialEq)]
    pub struct Outputs {
        /// Output of shape \[16\].
        pub dx: ::kernelpack_guest::abi::TensorBuf<f32>,
    }
    #[cfg(not(target_family = "wasm"))]
    impl ::kernelpack_guest::abi::Infer for Backward {
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
                    ::core::option::Option::Some(inputs.dy.shape()),
                    ::core::option::Option::None,
                ],
            )?;
            ::core::result::Result::Ok(Outputs {
                dx: ::kernelpack_guest::__private::allocate(
                    &SIGNATURE,
                    1usize,
                    &symbols,
                )?,
            })
        }
        fn join<'a, 'b: 'a>(inputs: Inputs<'b>, outputs: &'a mut Outputs) -> Args<'a> {
            Args {
                dy: inputs.dy,
                dx: outputs.dx.view_mut(),
            }
        }
    }
    #[cfg(target_family = "wasm")]
    #[doc(hidden)]
    #[inline(always)]
    pub fn __run(
        frame: &mut ::kernelpack_guest::__private::Frame<'_, Backward>,
    ) -> ::core::result::Result<
        ::kernelpack_guest::abi::Result<()>,
        ::kernelpack_guest::__private::Fault,
    > {
        #[allow(unused_variables, reason = "a function may have no scalars")]
        let params = Params::decode(frame.scalars())?;
        let argument_0 = frame.input::<f32>(0usize)?;
        let argument_1 = frame.take_mut::<f32>(1usize)?;
        ::core::result::Result::Ok(super::fill_backward(argument_0, argument_1))
    }
}
