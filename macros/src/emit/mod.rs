//! From a [`Model`] to code: the function as it was, and a module of the same name beside it.

mod glue;
mod spec;
mod stub;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{FnArg, Ident, ItemFn, Pat, ReturnType, Type, parse_quote, spanned::Spanned as _};

use crate::model::{Direction, Model, Tensor};

/// Everything that a sound function expands to.
pub(crate) fn kernel(model: &Model) -> TokenStream {
    let Model { function, cfgs, .. } = model;
    let (vis, id) = (&function.vis, model.id());
    let doc = match model.direction {
        Direction::Forward => format!(" The typed stub of the kernel [`{id}`]({id}()): its arguments and its marker."),
        Direction::Backward => {
            format!(" The typed stub of the backward pass [`{id}`]({id}()): its arguments and its marker.")
        }
    };
    let spec = spec::emit(model);
    let stub = stub::emit(model);
    let glue = glue::emit(model);
    let stub = reported_once(model, quote! { #spec #stub #glue });
    quote! {
        #[allow(clippy::too_many_arguments, reason = "callers give tensors and scalars by name")]
        #function

        #(#cfgs)*
        #[doc = #doc]
        #[allow(unused_qualifications, reason = "paths are those of the scope around")]
        #vis mod #id {
            #[allow(unused_imports, reason = "the types and constants that the function names")]
            use super::*;

            #stub
        }
    }
}

/// What a function with mistakes expands to: itself, and a stub that can be named but not called.
pub(crate) fn fallback(model: &Model) -> TokenStream {
    let Model { function, cfgs, .. } = model;
    let (vis, id) = (&function.vis, model.id());
    let marker = marker(model);
    let function = with_distinct_names(function.clone());
    // A method's impl could not hold a module.
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

/// The function, where of several parameters with one name only the first keeps it: the mistake has been reported.
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

/// The name of the type that stands for the pass.
fn marker(model: &Model) -> Ident {
    match model.direction {
        Direction::Forward => format_ident!("Kernel"),
        Direction::Backward => format_ident!("Backward"),
    }
}

/// Tokens of the author's scope, for use inside the module beside the function: `self::` and `super::` are one level up.
fn inside(tokens: impl ToTokens) -> TokenStream {
    let mut inside = TokenStream::new();
    let mut tokens = tokens.to_token_stream().into_iter().peekable();
    let mut after_colon = false;
    while let Some(token) = tokens.next() {
        let starts_path =
            !after_colon && matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        after_colon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
        match token {
            TokenTree::Ident(ident) if starts_path && ident == "self" => {
                inside.extend([Ident::new("super", ident.span())]);
            }
            TokenTree::Ident(ident) if starts_path && ident == "super" => inside.extend(quote! { super::#ident }),
            TokenTree::Group(group) => {
                let mut moved = Group::new(group.delimiter(), self::inside(group.stream()));
                moved.set_span(group.span());
                inside.extend([moved]);
            }
            token => inside.extend([token]),
        }
    }
    inside
}

/// The type of a tensor's elements.
///
/// A name that may be an alias, or a mistake, goes by way of a projection: where it is no element type, that is what
/// rustc reports of everything that uses the tensor.
fn element(model: &Model, tensor: &Tensor) -> TokenStream {
    let inner = inside(&tensor.element);
    if is_known(&tensor.element) {
        return inner;
    }
    let krate = krate(model);
    let inner = Group::new(Delimiter::None, inner);
    quote! { <#inner as #krate::__private::IsElement>::It }
}

/// Whether the name is that of an element type.
fn is_known(element: &Type) -> bool {
    const KNOWN: [&str; 8] = ["f32", "f16", "i8", "u8", "i32", "u32", "BlockQ8_0", "BlockQ4_0"];
    let Type::Path(path) = element else { return false };
    path.path.segments.last().is_some_and(|segment| KNOWN.iter().any(|known| segment.ident == known))
}

/// The stub, as one place in the eyes of rustc if an element may be a mistake: of its errors about that element, which
/// are as many as the stub has uses, it then shows one.
fn reported_once(model: &Model, stub: TokenStream) -> TokenStream {
    match model.tensors().find(|tensor| !is_known(&tensor.element)) {
        Some(tensor) => at(tensor.element.span().resolved_at(Span::call_site()), stub),
        None => stub,
    }
}

/// The same tokens at one place, all but those in groups without delimiters.
fn at(span: Span, tokens: TokenStream) -> TokenStream {
    let moved = |token| match token {
        // The author's type, so that an unknown name is the same error as in the function's own signature.
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => TokenTree::Group(group),
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), at(span, group.stream()));
            moved.set_span(span);
            TokenTree::Group(moved)
        }
        mut token => {
            token.set_span(span);
            token
        }
    };
    tokens.into_iter().map(moved).collect()
}

/// The call of the author's function; a return type that is not the ABI's is reported at that type.
fn call(model: &Model, arguments: &[impl ToTokens]) -> TokenStream {
    let id = model.id();
    let span = match &model.function.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => Span::call_site(),
    };
    let function = at(span, quote! { super::#id });
    quote_spanned! { span=> #function(#(#arguments),*) }
}

/// The path of `kernelpack_guest`.
fn krate(model: &Model) -> TokenStream {
    match &model.options.krate {
        Some(path) => inside(path),
        None => quote! { ::kernelpack_guest },
    }
}

/// The path of `kernelpack_abi`, by way of the guest crate, so that authors depend on one crate.
fn abi(model: &Model) -> TokenStream {
    let krate = krate(model);
    quote! { #krate::abi }
}
