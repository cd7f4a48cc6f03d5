//! Tokens that all parts of an expansion share.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, ReturnType, Type, spanned::Spanned as _};

use crate::model::{Direction, Model, Tensor};

/// Returns the name of the type that represents the pass.
pub(super) fn marker(model: &Model) -> Ident {
    match model.direction {
        Direction::Forward => format_ident!("Kernel"),
        Direction::Backward => format_ident!("Backward"),
    }
}

/// Adapts tokens from the author's scope to the generated module, where the author's `self::` and `super::` are one
/// level further up.
pub(super) fn inside(tokens: impl ToTokens) -> TokenStream {
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

/// Returns the type of a tensor's elements.
///
/// A name that may be an alias or a mistake becomes a projection. If it is not an element type, rustc then reports that
/// for every use of the tensor.
pub(super) fn element(model: &Model, tensor: &Tensor) -> TokenStream {
    let inner = inside(&tensor.element);
    if is_known(&tensor.element) {
        return inner;
    }
    let krate = krate(model);
    let inner = Group::new(Delimiter::None, inner);
    quote! { <#inner as #krate::__private::IsElement>::It }
}

/// Returns whether this is the name of an element type.
pub(super) fn is_known(element: &Type) -> bool {
    const KNOWN: [&str; 8] = ["f32", "f16", "i8", "u8", "i32", "u32", "BlockQ8_0", "BlockQ4_0"];
    let Type::Path(path) = element else { return false };
    path.path.segments.last().is_some_and(|segment| KNOWN.iter().any(|known| segment.ident == known))
}

/// Sets the span of all tokens, except those in groups without delimiters.
pub(super) fn at(span: Span, tokens: TokenStream) -> TokenStream {
    let moved = |token| match token {
        // The author's type keeps its own span, so that an unknown name gives the same error as in the function's own
        // signature.
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

/// Generates the call of the author's function; a return type that is not the ABI's is reported at that type.
pub(super) fn call(model: &Model, arguments: &[impl ToTokens]) -> TokenStream {
    let id = model.id();
    let span = match &model.function.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => Span::call_site(),
    };
    let function = at(span, quote! { super::#id });
    quote_spanned! { span=> #function(#(#arguments),*) }
}

/// Returns the path of `kernelpack_guest`.
pub(super) fn krate(model: &Model) -> TokenStream {
    match &model.options.krate {
        Some(path) => inside(path),
        None => quote! { ::kernelpack_guest },
    }
}

/// Returns the path of `kernelpack_abi` through the guest crate, so that authors depend on only one crate.
pub(super) fn abi(model: &Model) -> TokenStream {
    let krate = krate(model);
    quote! { #krate::abi }
}
