//! Parses tokens into a [`Model`], without stopping at the first mistake.

mod dim;
mod options;
mod param;
mod ungroup;

use proc_macro2::TokenStream;
use syn::{
    Attribute, Expr, FnArg, GenericArgument, GenericParam, Ident, ItemFn, Lit, Meta, PathArguments, ReturnType, Type,
};

use crate::{
    errors::Errors,
    model::{Direction, Model, Param},
};

/// Parses the annotated function; if the item is something else, collects a mistake and returns `None`.
pub(crate) fn function(direction: Direction, item: TokenStream, errors: &mut Errors) -> Option<ItemFn> {
    match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => Some(function),
        Err(error) => {
            // A malformed function gets the parser's own error, which points at the token; another item gets ours.
            match syn::parse2::<syn::Item>(item) {
                Ok(other) => errors.at(other, format_args!("{} goes on a function", direction.attribute())),
                Err(_) => errors.push(error),
            }
            None
        }
    }
}

/// Reads the attribute's arguments and the function.
pub(crate) fn model(direction: Direction, options: TokenStream, mut function: ItemFn, errors: &mut Errors) -> Model {
    let options = options::parse(direction, options, errors);
    if let ReturnType::Type(_, ty) = &mut function.sig.output {
        ungroup::ty(ty);
    }
    signature(direction, &function, errors);

    let mut params = Vec::new();
    let mut symbols: Vec<Ident> = Vec::new();
    for input in &mut function.sig.inputs {
        let param = match input {
            FnArg::Typed(typed) => param::parse(typed, errors),
            other => {
                errors.at(&other, "a kernel cannot take self: make it a free function over slices");
                Param::Unknown
            }
        };
        if let Param::Tensor(tensor) = &param {
            for symbol in tensor.dims.iter().filter_map(|dim| dim.symbol()) {
                if !symbols.contains(symbol) {
                    symbols.push(symbol.clone());
                }
            }
        }
        params.push(param);
    }

    let is = |attribute: &&Attribute, name| attribute.path().is_ident(name);
    Model {
        direction,
        options,
        cfgs: function.attrs.iter().filter(|attribute| is(attribute, "cfg")).cloned().collect(),
        description: description(&function.attrs),
        params,
        symbols,
        function,
    }
}

/// Reports everything that the signature of a kernel must not contain.
fn signature(direction: Direction, function: &ItemFn, errors: &mut Errors) {
    let attribute = direction.attribute();
    let sig = &function.sig;
    if let Some(token) = &sig.asyncness {
        errors.at(
            token,
            format_args!("{attribute} functions cannot be async: remove `async`, since a call runs to its end"),
        );
    }
    if !sig.generics.params.is_empty() {
        let lifetimes = sig.generics.params.iter().all(|param| matches!(param, GenericParam::Lifetime(_)));
        let fix = if lifetimes {
            "name lifetimes: remove them, since tensors live for one call"
        } else {
            "be generic: write one function for each element type"
        };
        errors.at(&sig.generics, format_args!("{attribute} functions cannot {fix}"));
    }
    if let Some(clause) = &sig.generics.where_clause {
        errors.at(clause, format_args!("{attribute} functions cannot have a where clause: remove it"));
    }
    if let Some(abi) = &sig.abi {
        errors.at(
            abi,
            format_args!(
                "{attribute} functions are ordinary Rust functions: remove `extern`, since the macro exports them"
            ),
        );
    }
    if !matches!(&sig.safety, syn::Safety::Default) {
        errors.at(
            &sig.safety,
            format_args!("{attribute} functions are safe: remove `unsafe`, since slices are checked before the call"),
        );
    }
    match &sig.output {
        ReturnType::Type(_, ty) if is_result_of_nothing(ty) => {}
        ReturnType::Type(_, ty) => errors.at(ty, "a kernel must return `kernelpack_guest::Result<()>`"),
        ReturnType::Default => {
            errors.at(&sig.ident, "a kernel must return `kernelpack_guest::Result<()>`: add `-> Result<()>`");
        }
    }
}

/// Returns whether a type has a name that ends in `Result`, and the argument `()` if it has one; rustc checks the rest.
fn is_result_of_nothing(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let Some(segment) = path.path.segments.last() else { return false };
    let of_nothing = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(Type::Tuple(tuple))) => tuple.elems.is_empty(),
            _ => false,
        },
        _ => true,
    };
    segment.ident.to_string().ends_with("Result") && of_nothing
}

/// Returns the first paragraph of the doc comments, on one line.
fn description(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        let Meta::NameValue(meta) = &attribute.meta else { continue };
        let mut value = meta.value.clone();
        ungroup::expr(&mut value);
        let Expr::Lit(syn::ExprLit { lit: Lit::Str(line), .. }) = value else { continue };
        if !meta.path.is_ident("doc") {
            continue;
        }
        let line = line.value();
        if line.trim().is_empty() {
            if text.is_empty() { continue } else { break }
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(line.trim());
    }
    text
}
