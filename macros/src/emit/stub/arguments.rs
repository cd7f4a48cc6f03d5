//! The structs `Params` and `Args`.

use kernelpack_abi::{ParamType, Role};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, spanned::Spanned as _};

use crate::{
    emit::tokens::{abi, element, inside, krate},
    model::{Dim, Model, Scalar, Tensor},
    plain::plain,
};

/// Generates the struct of the scalars.
pub(super) fn params(model: &Model) -> TokenStream {
    let krate = krate(model);
    let abi = abi(model);
    let names: Vec<&Ident> = model.scalars().map(|scalar| &scalar.ident).collect();
    let types: Vec<Ident> = model.scalars().map(|scalar| format_ident!("{}", scalar.ty.name())).collect();
    let docs: Vec<String> = model.scalars().map(scalar_doc).collect();
    let offsets: Vec<TokenStream> = (0..names.len())
        .map(|index| quote! { const { #abi::params::scalar_offset(SIGNATURE.params, #index) as usize } })
        .collect();
    let bytes = model.scalars().zip(&names).map(|(scalar, name)| match scalar.ty {
        ParamType::Bool => quote! { [u8::from(self.#name)] },
        _ => quote! { self.#name.to_le_bytes() },
    });
    let constants = model.scalars().filter_map(|scalar| {
        let (name, ty) = (default_name(scalar), format_ident!("{}", scalar.ty.name()));
        let default = inside(scalar.default.as_ref()?);
        Some(quote! { const #name: #ty = #default; })
    });
    let checks = model.scalars().filter(|scalar| scalar.ty == ParamType::F32).filter_map(|scalar| {
        let (name, default) = (default_name(scalar), scalar.default.as_ref()?);
        // The span is at the location of the author's expression, but with the hygiene of the macro call, so that lints
        // do not treat the code as the author's: the expression may be a constant of any value.
        let span = Span::call_site().located_at(default.span());
        Some(quote_spanned! { span =>
            const _: () = ::core::assert!(
                Params::#name.is_finite(),
                "a default must be finite, since JSON has no NaN or infinity"
            );
        })
    });
    let default = model.scalars().all(|scalar| scalar.default.is_some()).then(|| {
        let defaults = model.scalars().map(default_of);
        quote! {
            impl ::core::default::Default for Params {
                fn default() -> Self {
                    Self { #(#names: #defaults),* }
                }
            }
        }
    });
    quote! {
        /// The scalar parameters.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct Params {
            #(#[doc = #docs] pub #names: #types,)*
        }

        #default

        impl Params {
            #(#constants)*
            const SIZE: usize = #abi::params::scalars_size(SIGNATURE.params) as usize;

            #[inline]
            fn encode(&self) -> [u8; Self::SIZE] {
                #[allow(unused_mut, reason = "a function may have no scalars")]
                let mut scalars = [0; Self::SIZE];
                #({
                    let bytes = #bytes;
                    let at = #offsets;
                    scalars[at..at + bytes.len()].copy_from_slice(&bytes);
                })*
                scalars
            }

            #[allow(dead_code, unused_variables, reason = "a function may have no scalars")]
            #[inline(always)]
            fn decode(
                scalars: #krate::__private::Scalars<'_>,
            ) -> ::core::result::Result<Self, #krate::__private::Fault> {
                ::core::result::Result::Ok(Self { #(#names: scalars.#types(#offsets)?,)* })
            }
        }

        #(#checks)*
    }
}

/// Generates the struct of everything that a call takes.
pub(super) fn args(model: &Model) -> TokenStream {
    let tensors: Vec<&Tensor> = given(model).collect();
    let names: Vec<&Ident> = tensors.iter().map(|tensor| &tensor.ident).collect();
    let types: Vec<TokenStream> = tensors.iter().map(|tensor| view(model, tensor)).collect();
    let docs: Vec<String> = tensors.iter().map(|tensor| tensor_doc(tensor)).collect();
    let scalars = ScalarFields::of(model);
    let ScalarFields { names: scalar_names, types: scalar_types, docs: scalar_docs, .. } = &scalars;
    let (arguments, values) = constructor(model, &tensors, &types, &scalars);
    let reborrowed = tensors.iter().map(|tensor| {
        let name = &tensor.ident;
        match tensor.role {
            Role::In => quote! { self.#name },
            _ => quote! { self.#name.reborrow() },
        }
    });
    quote! {
        /// The arguments of a call.
        #[derive(Debug)]
        pub struct Args<'a> {
            #(#[doc = #docs] pub #names: #types,)*
            #(#[doc = #scalar_docs] pub #scalar_names: #scalar_types,)*
        }

        impl<'a> Args<'a> {
            /// Makes arguments without the optional inputs, and with the defaults of the scalars that have one.
            #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
            pub fn new(#arguments) -> Self {
                Self { #values }
            }

            /// Replaces all scalars.
            pub fn with_params(self, params: Params) -> Self {
                Self { #(#names: self.#names,)* #(#scalar_names: params.#scalar_names,)* }
            }

            /// Borrows the arguments, so that they can be passed to a call and used again.
            #[inline]
            pub fn reborrow(&mut self) -> Args<'_> {
                Args { #(#names: #reborrowed,)* #(#scalar_names: self.#scalar_names,)* }
            }

            #[inline]
            fn params(&self) -> Params {
                Params { #(#scalar_names: self.#scalar_names,)* }
            }
        }
    }
}

/// The scalars as fields of a struct.
pub(super) struct ScalarFields<'m> {
    pub(super) names: Vec<&'m Ident>,
    pub(super) types: Vec<Ident>,
    pub(super) docs: Vec<String>,
}

impl<'m> ScalarFields<'m> {
    pub(super) fn of(model: &'m Model) -> Self {
        Self {
            names: model.scalars().map(|scalar| &scalar.ident).collect(),
            types: model.scalars().map(|scalar| format_ident!("{}", scalar.ty.name())).collect(),
            docs: model.scalars().map(scalar_doc).collect(),
        }
    }
}

/// Returns the arguments of `new`, which are the required tensors and then the scalars without a default, and the
/// fields that it fills.
pub(super) fn constructor(
    model: &Model,
    tensors: &[&Tensor],
    types: &[TokenStream],
    scalars: &ScalarFields<'_>,
) -> (TokenStream, TokenStream) {
    let mut arguments = TokenStream::new();
    let mut values = TokenStream::new();
    for (tensor, ty) in tensors.iter().zip(types) {
        let name = &tensor.ident;
        if tensor.optional {
            values.extend(quote! { #name: ::core::option::Option::None, });
        } else {
            arguments.extend(quote! { #name: #ty, });
            values.extend(quote! { #name, });
        }
    }
    for (scalar, ty) in model.scalars().zip(&scalars.types) {
        let name = &scalar.ident;
        match &scalar.default {
            Some(_) => {
                let default = default_of(scalar);
                values.extend(quote! { #name: #default, });
            }
            None => {
                arguments.extend(quote! { #name: #ty, });
                values.extend(quote! { #name, });
            }
        }
    }
    (arguments, values)
}

/// Returns the name of the constant that holds a default. The author's expression appears only there, so that a mistake
/// in it is reported once.
fn default_name(scalar: &Scalar) -> Ident {
    format_ident!("DEFAULT_{}", scalar.ident.to_string().to_uppercase())
}

/// Returns the default of a scalar that has one.
pub(in crate::emit) fn default_of(scalar: &Scalar) -> TokenStream {
    let name = default_name(scalar);
    quote! { Params::#name }
}

/// Returns the tensors that the caller gives: all but scratch.
pub(super) fn given(model: &Model) -> impl Iterator<Item = &Tensor> {
    model.tensors().filter(|tensor| tensor.role != Role::Scratch)
}

/// Returns the type of a tensor in `Args`.
fn view(model: &Model, tensor: &Tensor) -> TokenStream {
    let abi = abi(model);
    let element = element(model, tensor);
    match (tensor.role, tensor.optional) {
        (Role::In, false) => quote! { #abi::TensorView<'a, #element> },
        (Role::In, true) => quote! { ::core::option::Option<#abi::TensorView<'a, #element>> },
        _ => quote! { #abi::TensorViewMut<'a, #element> },
    }
}

/// Returns the documentation of a tensor.
pub(super) fn tensor_doc(tensor: &Tensor) -> String {
    let role = match (tensor.role, tensor.optional) {
        (Role::In, true) => "Optional input",
        (Role::In, false) => "Input",
        (Role::InOut, _) => "In-out tensor",
        _ => "Output",
    };
    shape_doc(role, tensor)
}

/// Returns the documentation of what has the shape of a tensor.
pub(super) fn shape_doc(what: &str, tensor: &Tensor) -> String {
    let dims: Vec<String> = tensor
        .dims
        .iter()
        .map(|dim| match dim {
            Dim::Fixed(extent) => extent.to_string(),
            Dim::Symbol(symbol) => symbol.to_string(),
            Dim::Div(symbol, by) => format!("{symbol} / {by}"),
            Dim::Mul(symbol, by) => format!("{symbol} * {by}"),
        })
        .collect();
    format!(" {what} of shape \\[{}\\].", dims.join(", "))
}

fn scalar_doc(scalar: &Scalar) -> String {
    match &scalar.default {
        Some(default) => format!(" Scalar; the default is `{}`.", plain(default)),
        None => " Scalar.".to_owned(),
    }
}
