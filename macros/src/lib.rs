//! The `#[kernel]` and `#[backward]` attributes. Use them through `kernelpack-guest`, which re-exports them and
//! documents what they take.
//!
//! `parse` reads tokens into a `model` and collects every mistake on the way; `check` finds mistakes that only the
//! whole model shows; `emit` writes the code. After a mistake, the function itself and an inert stub are emitted with
//! the errors, so that one mistake does not cause others.
#![forbid(unsafe_code)]

mod check;
mod emit;
mod errors;
mod model;
mod parse;
mod plain;

use proc_macro2::TokenStream;

use model::Direction;

/// Turns a function over slices into a kernel. See `kernelpack_guest::kernel`.
#[proc_macro_attribute]
pub fn kernel(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(Direction::Forward, options.into(), item.into()).into()
}

/// Turns a function over slices into the backward pass of a kernel. See `kernelpack_guest::backward`.
#[proc_macro_attribute]
pub fn backward(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(Direction::Backward, options.into(), item.into()).into()
}

fn expand(direction: Direction, options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = errors::Errors::default();
    let Some(function) = parse::function(direction, item.clone(), &mut errors) else {
        let errors = errors.into_compile_errors();
        return quote::quote! { #errors #item };
    };
    let model = parse::model(direction, options, function, &mut errors);
    check::run(&model, &mut errors);
    match errors.into_option() {
        None => emit::kernel(&model),
        Some(errors) => {
            let errors = errors.into_compile_error();
            let fallback = emit::fallback(&model);
            quote::quote! { #errors #fallback }
        }
    }
}

#[cfg(test)]
mod tests;
