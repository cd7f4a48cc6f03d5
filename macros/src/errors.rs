//! The mistakes of one expansion, collected so that one compile reports them all.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// A collection of mistakes.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Adds a mistake with the span of these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a mistake.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            None => self.0 = Some(error),
            Some(errors) => errors.combine(error),
        }
    }

    /// Returns the value, or collects the mistake.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Returns all mistakes as one error, if there is any.
    pub(crate) fn into_option(self) -> Option<syn::Error> {
        self.0
    }

    /// Returns all mistakes as `compile_error!` calls.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.0.map(|error| error.into_compile_error()).unwrap_or_default()
    }
}
