//! From a [`Model`] to code: the function as it was, and a module of the same name beside it.

mod glue;
mod spec;
mod stub;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use crate::model::{Direction, Model};

/// Everything that a sound function expands to.
pub(crate) fn kernel(model: &Model) -> TokenStream {
    let Model { function, cfgs, .. } = model;
    let (vis, id) = (&function.vis, model.id());
    let doc = match model.direction {
        Direction::Forward => format!("The typed stub of the kernel [`{id}`]({id}()): its arguments and its marker."),
        Direction::Backward => {
            format!("The typed stub of the backward pass [`{id}`]({id}()): its arguments and its marker.")
        }
    };
    let spec = spec::emit(model);
    let stub = stub::emit(model);
    let glue = glue::emit(model);
    quote! {
        #function

        #(#cfgs)*
        #[doc = #doc]
        #vis mod #id {
            #[allow(unused_imports, reason = "the element types that the function names")]
            use super::*;

            #spec
            #stub
            #glue
        }
    }
}

/// What a function with mistakes expands to: itself, and a stub that can be named but not called.
pub(crate) fn fallback(model: &Model) -> TokenStream {
    let Model { function, cfgs, .. } = model;
    let (vis, id) = (&function.vis, model.id());
    let marker = marker(model);
    quote! {
        #function

        #(#cfgs)*
        #[allow(missing_docs, reason = "stands in for a stub whose function has mistakes")]
        #vis mod #id {
            pub struct #marker;
            pub struct Params;
            pub struct Args<'a>(::core::marker::PhantomData<&'a ()>);
        }
    }
}

/// The name of the type that stands for the pass.
fn marker(model: &Model) -> Ident {
    match model.direction {
        Direction::Forward => format_ident!("Kernel"),
        Direction::Backward => format_ident!("Backward"),
    }
}

/// The path of `kernelpack_guest`.
fn krate(model: &Model) -> TokenStream {
    match &model.options.krate {
        Some(path) => quote! { #path },
        None => quote! { ::kernelpack_guest },
    }
}

/// The path of `kernelpack_abi`, by way of the guest crate, so that authors depend on one crate.
fn abi(model: &Model) -> TokenStream {
    let krate = krate(model);
    quote! { #krate::abi }
}
