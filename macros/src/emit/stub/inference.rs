//! The structs `Inputs` and `Outputs`, for calls that let the host allocate the results.

use kernelpack_abi::Role;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::arguments::{ScalarFields, constructor, given, shape_doc, tensor_doc};
use crate::{
    emit::tokens::{abi, element, krate, marker},
    model::{Model, Tensor},
};

/// Generates the structs and the implementation of `Infer`; nothing for a kernel without inputs, since no shape
/// determines its results.
pub(super) fn emit(model: &Model) -> TokenStream {
    let inputs: Vec<&Tensor> = given(model).filter(|tensor| tensor.role != Role::Out).collect();
    if inputs.is_empty() {
        return TokenStream::new();
    }
    let outputs: Vec<&Tensor> = given(model).filter(|tensor| tensor.role != Role::In).collect();
    let abi = abi(model);
    let krate = krate(model);
    let marker = marker(model);

    let names: Vec<&Ident> = inputs.iter().map(|tensor| &tensor.ident).collect();
    let types: Vec<TokenStream> = inputs
        .iter()
        .map(|tensor| {
            let element = element(model, tensor);
            match tensor.optional {
                true => quote! { ::core::option::Option<#abi::TensorView<'a, #element>> },
                false => quote! { #abi::TensorView<'a, #element> },
            }
        })
        .collect();
    let docs = inputs.iter().map(|tensor| match tensor.role {
        Role::InOut => shape_doc("Initial value of an in-out tensor", tensor),
        _ => tensor_doc(tensor),
    });
    let scalars = ScalarFields::of(model);
    let ScalarFields { names: scalar_names, types: scalar_types, docs: scalar_docs } = &scalars;
    let (arguments, values) = constructor(model, &inputs, &types, &scalars);

    let output_names: Vec<&Ident> = outputs.iter().map(|tensor| &tensor.ident).collect();
    let buffers = outputs.iter().map(|tensor| {
        let element = element(model, tensor);
        quote! { #abi::TensorBuf<#element> }
    });
    let output_docs = outputs.iter().map(|tensor| tensor_doc(tensor));

    let shapes = model.tensors().map(|tensor| {
        let name = &tensor.ident;
        match (tensor.role, tensor.optional) {
            (Role::Scratch | Role::Out, _) => quote! { ::core::option::Option::None },
            (_, true) => quote! { inputs.#name.as_ref().map(|tensor| tensor.shape()) },
            _ => quote! { ::core::option::Option::Some(inputs.#name.shape()) },
        }
    });
    let allocations = model.tensors().enumerate().filter_map(|(index, tensor)| {
        let name = &tensor.ident;
        match tensor.role {
            Role::Out => Some(quote! { #name: #krate::__private::allocate(&SIGNATURE, #index, &symbols)? }),
            Role::InOut => Some(quote! { #name: inputs.#name.to_buf() }),
            _ => None,
        }
    });
    let joined = given(model).map(|tensor| {
        let name = &tensor.ident;
        match tensor.role {
            Role::In => quote! { #name: inputs.#name },
            _ => quote! { #name: outputs.#name.view_mut() },
        }
    });

    quote! {
        /// The inputs of a call whose results the host allocates.
        #[derive(Clone, Copy, Debug)]
        pub struct Inputs<'a> {
            #(#[doc = #docs] pub #names: #types,)*
            #(#[doc = #scalar_docs] pub #scalar_names: #scalar_types,)*
        }

        impl<'a> Inputs<'a> {
            /// Makes inputs without the optional ones, and with the defaults of the scalars that have one.
            #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
            pub fn new(#arguments) -> Self {
                Self { #values }
            }

            /// Replaces the scalars.
            pub fn with_params(self, params: Params) -> Self {
                Self { #(#names: self.#names,)* #(#scalar_names: params.#scalar_names,)* }
            }
        }

        /// The results of a call, allocated by the host.
        #[cfg(not(target_family = "wasm"))]
        #[derive(Clone, Debug, PartialEq)]
        pub struct Outputs {
            #(#[doc = #output_docs] pub #output_names: #buffers,)*
        }

        #[cfg(not(target_family = "wasm"))]
        impl #abi::Infer for #marker {
            type Inputs<'a> = Inputs<'a>;
            type Outputs = Outputs;

            fn allocate(inputs: &Inputs<'_>) -> #abi::Result<Outputs> {
                #[allow(unused_variables, reason = "results may all have fixed shapes or start values")]
                let symbols = #krate::__private::bind(&SIGNATURE, &[#(#shapes),*])?;
                ::core::result::Result::Ok(Outputs { #(#allocations),* })
            }

            fn join<'a, 'b: 'a>(inputs: Inputs<'b>, outputs: &'a mut Outputs) -> Args<'a> {
                Args { #(#joined,)* #(#scalar_names: inputs.#scalar_names,)* }
            }
        }
    }
}
