//! The implementations of `Pass` and `Kernel`.

use kernelpack_abi::Role;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use crate::{
    emit::tokens::{abi, call, element, inside, krate, marker},
    model::{Direction, Model, Param},
};

pub(super) fn emit(model: &Model) -> TokenStream {
    let abi = abi(model);
    let marker = marker(model);
    let doc = match model.direction {
        Direction::Forward => " Stands for the kernel where a type is needed, as in `pack.kernel::<Kernel>()`.",
        Direction::Backward => " Stands for the backward pass where a type is needed.",
    };
    let rows: Vec<TokenStream> = model
        .tensors()
        .map(|tensor| {
            let (name, element) = (&tensor.ident, element(model, tensor));
            match (tensor.role, tensor.optional) {
                (Role::In, false) => quote! { #abi::TensorArg::input(args.#name) },
                (Role::In, true) => quote! { #abi::TensorArg::optional(args.#name) },
                (Role::Out, _) => quote! { #abi::TensorArg::output(args.#name) },
                (Role::InOut, _) => quote! { #abi::TensorArg::inout(args.#name) },
                (Role::Scratch, _) => quote! { #abi::TensorArg::scratch::<#element>() },
            }
        })
        .collect();
    let reference = reference(model);
    let reference_on = reference_on(model);
    let kernel = (model.direction == Direction::Forward).then(|| {
        let backward = match &model.options.backward {
            None => quote! { #abi::NoBackward },
            Some(backward) => {
                let backward = inside(backward);
                quote! { #backward::Backward }
            }
        };
        let registration = registration(model, &marker);
        quote! {
            impl #abi::Kernel for #marker {
                const SPEC: #abi::KernelSpec<'static> = SPEC;
                type Backward = #backward;
            }

            #registration
        }
    });
    quote! {
        #[doc = #doc]
        #[derive(Clone, Copy, Debug)]
        pub struct #marker;

        impl #abi::Pass for #marker {
            const SIGNATURE: #abi::Signature<'static> = SIGNATURE;
            type Args<'a> = Args<'a>;
            type Params = Params;

            #[inline]
            fn reborrow<'a>(args: &'a mut Args<'_>) -> Args<'a> {
                args.reborrow()
            }

            fn lend<R>(
                args: Args<'_>,
                f: impl ::core::ops::FnOnce(&mut [#abi::TensorArg<'_>], &[u8]) -> R,
            ) -> R {
                let scalars = args.params().encode();
                f(&mut [#(#rows),*], &scalars)
            }

            #[allow(unused_mut, unused_variables, reason = "a function may have no tensors")]
            #[inline]
            fn give<'a>(
                args: Args<'a>,
                mut row: impl ::core::ops::FnMut(#abi::TensorArg<'a>),
                scalars: impl ::core::ops::FnOnce(&[u8]),
            ) {
                scalars(&args.params().encode());
                #(row(#rows);)*
            }

            #reference

            #reference_on
        }

        #kernel
    }
}

/// Generates the native call: the same checks as in the guest, then the author's function.
fn reference(model: &Model) -> TokenStream {
    let krate = krate(model);
    let abi = abi(model);
    let shapes = model.tensors().map(|tensor| {
        let name = &tensor.ident;
        match (tensor.role, tensor.optional) {
            (Role::Scratch, _) => quote! { ::core::option::Option::None },
            (_, true) => quote! { args.#name.as_ref().map(|tensor| tensor.shape()) },
            _ => quote! { ::core::option::Option::Some(args.#name.shape()) },
        }
    });
    let mut row = 0usize;
    let arguments = model.params.iter().map(|param| match param {
        Param::Tensor(tensor) => {
            let (name, element, index) = (&tensor.ident, element(model, tensor), row);
            row += 1;
            match (tensor.role, tensor.optional) {
                (Role::In, false) => quote! { args.#name.data() },
                (Role::In, true) => quote! { args.#name.map(|tensor| tensor.data()) },
                (Role::Scratch, _) => {
                    quote! { &mut #krate::__private::scratch::<#element>(&SIGNATURE, #index, &symbols)? }
                }
                _ => quote! { args.#name.into_data() },
            }
        }
        Param::Scalar(scalar) => {
            let name = &scalar.ident;
            quote! { args.#name }
        }
        Param::Symbol(ident) => {
            let index = model.symbol(ident).unwrap_or_default() as u8;
            quote! { #krate::__private::extent(&symbols, #index) }
        }
        Param::Unknown => TokenStream::new(),
    });
    let call = call(model, &arguments.collect::<Vec<_>>());
    quote! {
        #[cfg(not(target_family = "wasm"))]
        fn reference(args: Args<'_>) -> #abi::Result<()> {
            #[allow(unused_variables, reason = "a function may use no symbol")]
            let symbols = #krate::__private::bind(&SIGNATURE, &[#(#shapes),*])?;
            #call
        }
    }
}

/// Generates the native call that takes rows of bytes.
fn reference_on(model: &Model) -> TokenStream {
    let krate = krate(model);
    let abi = abi(model);
    let rows: Vec<Ident> = model.tensors().enumerate().map(|(row, _)| format_ident!("row_{row}")).collect();
    let fields = model.tensors().zip(&rows).filter(|(tensor, _)| tensor.role != Role::Scratch).map(|(tensor, row)| {
        let (name, element) = (&tensor.ident, element(model, tensor));
        match (tensor.role, tensor.optional) {
            (Role::In, false) => quote! { #name: #krate::__private::view::<#element>(#row)? },
            (Role::In, true) => quote! { #name: #krate::__private::optional_view::<#element>(#row)? },
            _ => quote! { #name: #krate::__private::view_mut::<#element>(#row)? },
        }
    });
    let scalars: Vec<&Ident> = model.scalars().map(|scalar| &scalar.ident).collect();
    quote! {
        #[cfg(not(target_family = "wasm"))]
        fn reference_on(tensors: &mut [#abi::TensorArg<'_>], scalars: &[u8]) -> #abi::Result<()> {
            #[allow(unused_variables, reason = "a function may have scratch tensors, or no scalars")]
            let (params, rows) = (
                Params::decode(#krate::__private::Scalars::new(scalars))?,
                #krate::__private::rows(tensors)?,
            );
            #[allow(unused_variables, reason = "rows of scratch tensors are not read")]
            let [#(#rows),*] = rows;
            <Self as #abi::Pass>::reference(Args { #(#fields,)* #(#scalars: params.#scalars,)* })
        }
    }
}

/// Generates the registration of the function for hosts in this program, which also makes rustc treat private kernels
/// as used.
fn registration(model: &Model, marker: &Ident) -> TokenStream {
    let krate = krate(model);
    let abi = abi(model);
    let backward = match model.options.backward {
        None => quote! { ::core::option::Option::None },
        Some(_) => quote! {
            ::core::option::Option::Some(
                <<#marker as #abi::Kernel>::Backward as #abi::Pass>::reference_on
            )
        },
    };
    quote! {
        #[cfg(not(target_family = "wasm"))]
        #[allow(unsafe_code, reason = "a registry that is filled before main")]
        const _: () = {
            #krate::__private::inventory::submit! {
                #abi::native::NativeKernel {
                    spec: &SPEC,
                    package: ::core::env!("CARGO_PKG_NAME"),
                    forward: <#marker as #abi::Pass>::reference_on,
                    backward: #backward,
                }
            }
        };
    }
}
