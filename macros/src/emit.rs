//! Generates code from a [`Model`]: the function itself, and a module of the same name next to it.

mod glue;
mod spec;
mod stub;
mod tokens;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{FnArg, Ident, ItemFn, Pat, parse_quote, spanned::Spanned as _};

use self::tokens::{at, is_known, marker};
use crate::model::{Direction, Model};

/// Generates the expansion of a function without mistakes.
pub(crate) fn kernel(model: &Model) -> TokenStream {
    let Model { function, cfgs, .. } = model;
    let (vis, id) = (&function.vis, model.id());
    let doc = match model.direction {
        Direction::Forward => format!(" The typed stub that hosts call the kernel [`{id}`]({id}()) with."),
        Direction::Backward => {
            format!(" The typed stub that hosts call the backward pass [`{id}`]({id}()) with.")
        }
    };
    let spec = spec::emit(model);
    let stub = stub::emit(model);
    let glue = glue::emit(model);
    let stub = reported_once(model, quote! { #spec #stub #glue });
    quote! {
        #[allow(clippy::too_many_arguments, reason = "callers pass tensors and scalars by name")]
        #function

        #(#cfgs)*
        #[doc = #doc]
        #[allow(unused_qualifications, reason = "paths are those of the enclosing scope")]
        #vis mod #id {
            #[allow(unused_imports, reason = "the types and constants that the function names")]
            use super::*;

            #stub
        }
    }
}

/// Generates the expansion of a function with mistakes: the function itself, and a stub that can be named but not
/// called.
pub(crate) fn fallback(model: &Model) -> TokenStream {
    let Model { function, cfgs, .. } = model;
    let (vis, id) = (&function.vis, model.id());
    let marker = marker(model);
    let function = with_distinct_names(function.clone());
    // The impl block of a method cannot contain a module.
    if function.sig.inputs.iter().any(|input| matches!(input, FnArg::Receiver(_))) {
        return quote! { #function };
    }
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

/// Returns the function with distinct parameter names: only the first of several equal ones is kept, and the mistake
/// has been reported.
fn with_distinct_names(mut function: ItemFn) -> ItemFn {
    let mut seen: Vec<Ident> = Vec::new();
    for input in &mut function.sig.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let Pat::Ident(pat) = &*typed.pat else { continue };
        if seen.contains(&pat.ident) {
            *typed.pat = parse_quote! { _ };
        } else {
            seen.push(pat.ident.clone());
        }
    }
    function
}

/// Gives all tokens of the stub the same span if an element type may be a mistake, so that rustc reports one error
/// about it rather than one for each use.
fn reported_once(model: &Model, stub: TokenStream) -> TokenStream {
    match model.tensors().find(|tensor| !is_known(&tensor.element)) {
        Some(tensor) => at(tensor.element.span().resolved_at(Span::call_site()), stub),
        None => stub,
    }
}
