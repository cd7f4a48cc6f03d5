//! The typed host stub: arguments, scalars, results, and how they cross the boundary.

mod arguments;
mod inference;
mod pass;

use proc_macro2::TokenStream;
use quote::quote;

pub(super) use arguments::default_of;

use crate::model::Model;

pub(super) fn emit(model: &Model) -> TokenStream {
    let params = arguments::params(model);
    let args = arguments::args(model);
    let pass = pass::emit(model);
    let inference = inference::emit(model);
    quote! { #params #args #pass #inference }
}
