//! The guest side: the exports and the custom section.

use kernelpack_abi::{Role, exports, section};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::tokens::{abi, call, element, inside, krate, marker};
use crate::model::{Direction, Model, Param};

pub(super) fn emit(model: &Model) -> TokenStream {
    let run = run(model);
    let exports = (model.direction == Direction::Forward).then(|| {
        let exports = exports(model);
        let section = section(model);
        let lifecycle = lifecycle(model);
        quote! { #exports #section #lifecycle }
    });
    quote! { #run #exports }
}

/// Generates the code that takes the arguments out of a checked call and runs the function.
fn run(model: &Model) -> TokenStream {
    let krate = krate(model);
    let abi = abi(model);
    let mut row = 0usize;
    let mut bindings = TokenStream::new();
    let mut arguments = Vec::new();
    for (position, param) in model.params.iter().enumerate() {
        let argument = format_ident!("argument_{position}");
        match param {
            Param::Tensor(tensor) => {
                let element = element(model, tensor);
                let take = match (tensor.role, tensor.optional) {
                    (Role::In, false) => quote! { frame.input::<#element>(#row)? },
                    (Role::In, true) => quote! { frame.optional_input::<#element>(#row)? },
                    _ => quote! { frame.take_mut::<#element>(#row)? },
                };
                row += 1;
                bindings.extend(quote! { let #argument = #take; });
            }
            Param::Scalar(scalar) => {
                let name = &scalar.ident;
                bindings.extend(quote! { let #argument = params.#name; });
            }
            Param::Symbol(ident) => {
                let index = model.symbol(ident).unwrap_or_default() as u8;
                bindings.extend(quote! { let #argument = frame.extent(#index); });
            }
            Param::Unknown => continue,
        }
        arguments.push(argument);
    }
    let call = call(model, &arguments);
    let marker = marker(model);
    quote! {
        #[cfg(target_family = "wasm")]
        #[doc(hidden)]
        #[inline(always)]
        pub fn __run(frame: &mut #krate::__private::Frame<'_, #marker>)
            -> ::core::result::Result<#abi::Result<()>, #krate::__private::Fault>
        {
            #[allow(unused_variables, reason = "a function may have no scalars")]
            let params = Params::decode(frame.scalars())?;
            #bindings
            ::core::result::Result::Ok(#call)
        }
    }
}

fn exports(model: &Model) -> TokenStream {
    let krate = krate(model);
    let raw = |what: &str| format!("{}{what}_{}", exports::RAW_PREFIX, model.id());
    let (forward, batch, info) = (raw("forward"), raw("batch"), raw("info"));
    let backward = model.options.backward.as_ref().map(|path| {
        let (path, name) = (inside(path), raw("backward"));
        quote! {
            #[unsafe(export_name = #name)]
            extern "C" fn __backward(descriptor: u32) -> i32 {
                #krate::__private::pass::<#path::Backward>(descriptor, #path::__run)
            }
        }
    });
    let init = model.options.init.as_ref().map(|path| {
        let (path, name) = (inside(path), raw("init"));
        quote! {
            #[unsafe(export_name = #name)]
            extern "C" fn __init(params: u32, size: u32) -> i32 {
                #krate::__private::init(params, size, |scalars| #path(&Params::decode(scalars)?))
            }
        }
    });
    let cleanup = model.options.cleanup.as_ref().map(|path| {
        let (path, name) = (inside(path), raw("cleanup"));
        quote! {
            #[unsafe(export_name = #name)]
            extern "C" fn __cleanup() -> i32 {
                #krate::__private::cleanup(|| #path())
            }
        }
    });
    quote! {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "an export needs a name that no other function of the module has; it carries the id")]
        const _: () = {
            #[unsafe(export_name = #forward)]
            extern "C" fn __forward(descriptor: u32) -> i32 {
                #krate::__private::pass::<Kernel>(descriptor, __run)
            }

            #[unsafe(export_name = #batch)]
            extern "C" fn __batch(descriptors: u32, count: u32) -> i64 {
                #krate::__private::batch(descriptors, count, |descriptor| __forward(descriptor))
            }

            #[unsafe(export_name = #info)]
            extern "C" fn __info(info: u32) -> i32 {
                #krate::__private::info(info, &SPEC)
            }

            #backward
            #init
            #cleanup
        };
    }
}

/// Generates a check of the lifecycle functions' types for every target, since a native build uses these functions
/// nowhere else.
fn lifecycle(model: &Model) -> TokenStream {
    let abi = abi(model);
    let init = model.options.init.as_ref().map(|path| {
        let (span, path) = (path.span(), inside(path));
        let value = quote_spanned! { span=> #path };
        quote! { const _: fn(&Params) -> #abi::Result<()> = #value; }
    });
    let cleanup = model.options.cleanup.as_ref().map(|path| {
        let (span, path) = (path.span(), inside(path));
        let value = quote_spanned! { span=> #path };
        quote! { const _: fn() -> #abi::Result<()> = #value; }
    });
    quote! { #init #cleanup }
}

fn section(model: &Model) -> TokenStream {
    let abi = abi(model);
    let name = section::NAME;
    quote! {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the bytes go into a custom section, where nothing else reads or runs them")]
        const _: () = {
            const WRITER: &str =
                ::core::concat!(::core::env!("CARGO_PKG_NAME"), " ", ::core::env!("CARGO_PKG_VERSION"));
            #[unsafe(link_section = #name)]
            static ENTRY: [u8; #abi::section::encoded_len(&SPEC, WRITER)] = #abi::section::encode(&SPEC, WRITER);
        };
    }
}
