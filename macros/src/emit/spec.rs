//! The constants that describe the kernel.

use kernelpack_abi::{ParamType, ResourceLimits, Role};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::LitStr;

use super::{
    stub::default_of,
    tokens::{abi, element, inside},
};
use crate::model::{Dim, Direction, Model, Op, Scalar, Tensor};

pub(super) fn emit(model: &Model) -> TokenStream {
    let signature = signature(model);
    match model.direction {
        Direction::Forward => {
            let spec = spec(model);
            quote! { #signature #spec }
        }
        Direction::Backward => signature,
    }
}

fn signature(model: &Model) -> TokenStream {
    let abi = abi(model);
    let symbols = model.symbols.iter().map(ToString::to_string);
    let tensors = model.tensors().map(|tensor| tensor_spec(model, tensor));
    let params = model.scalars().map(|scalar| param_spec(model, scalar));
    quote! {
        /// The tensors and scalars that the function takes.
        pub const SIGNATURE: #abi::Signature<'static> = #abi::Signature {
            symbols: &[#(#symbols),*],
            tensors: &[#(#tensors),*],
            params: &[#(#params),*],
        };
    }
}

fn tensor_spec(model: &Model, tensor: &Tensor) -> TokenStream {
    let abi = abi(model);
    let Tensor { ident, optional, .. } = tensor;
    let element = element(model, tensor);
    let name = ident.to_string();
    let role = match tensor.role {
        Role::In => quote!(In),
        Role::Out => quote!(Out),
        Role::InOut => quote!(InOut),
        Role::Scratch => quote!(Scratch),
    };
    let index = |symbol| model.symbol(symbol).unwrap_or_default() as u8;
    let dims = tensor.dims.iter().map(|dim| match dim {
        Dim::Fixed(extent) => quote! { #abi::Dim::Fixed(#extent) },
        Dim::Symbol(symbol) => {
            let index = index(symbol);
            quote! { #abi::Dim::Symbol(#index) }
        }
        Dim::Div(symbol, by) => {
            let index = index(symbol);
            quote! { #abi::Dim::Div(#index, #by) }
        }
        Dim::Mul(symbol, by) => {
            let index = index(symbol);
            quote! { #abi::Dim::Mul(#index, #by) }
        }
    });
    let ops = tensor.len.iter().map(|op| match op {
        Op::Const(value) => quote! { #abi::Op::Const(#value) },
        Op::Symbol(symbol) => {
            let index = index(symbol);
            quote! { #abi::Op::Symbol(#index) }
        }
        Op::Add => quote! { #abi::Op::Add },
        Op::Sub => quote! { #abi::Op::Sub },
        Op::Mul => quote! { #abi::Op::Mul },
        Op::Div => quote! { #abi::Op::Div },
    });
    let dtype = quote! { <#element as #abi::Element>::DTYPE };
    quote! {
        #abi::TensorSpec {
            name: #name,
            dtype: #dtype,
            role: #abi::Role::#role,
            optional: #optional,
            dims: &[#(#dims),*],
            len: #abi::Expr(&[#(#ops),*]),
        }
    }
}

fn param_spec(model: &Model, scalar: &Scalar) -> TokenStream {
    let abi = abi(model);
    let name = scalar.ident.to_string();
    let variant = match scalar.ty {
        ParamType::F32 => format_ident!("F32"),
        ParamType::U32 => format_ident!("U32"),
        ParamType::I32 => format_ident!("I32"),
        ParamType::Bool => format_ident!("Bool"),
    };
    let default = match &scalar.default {
        None => quote! { ::core::option::Option::None },
        Some(_) => {
            let default = default_of(scalar);
            quote! { ::core::option::Option::Some(#abi::ParamValue::#variant(#default)) }
        }
    };
    quote! { #abi::ParamSpec { name: #name, ty: #abi::ParamType::#variant, default: #default } }
}

fn spec(model: &Model) -> TokenStream {
    let abi = abi(model);
    let options = &model.options;
    let id = model.id().to_string();
    let text = |given: &Option<LitStr>, otherwise: String| given.as_ref().map_or(otherwise, LitStr::value);
    let family = model.family();
    let name = text(&options.name, id.clone());
    let category = text(&options.category, family.clone());
    let entry_point = model.entry_point();
    let fallback = text(&options.fallback, format!("{id}_reference"));
    let description = &model.description;
    const DEFAULT: ResourceLimits = ResourceLimits::DEFAULT;
    let pages = options.max_memory_pages.unwrap_or(DEFAULT.max_memory_pages);
    let ticks = options.max_epoch_ticks.unwrap_or(DEFAULT.max_epoch_ticks);
    let elements = options.max_table_elements.unwrap_or(DEFAULT.max_table_elements);
    let instances = options.max_instances.unwrap_or(DEFAULT.max_instances);
    let stack = options.max_stack_bytes.unwrap_or(DEFAULT.max_stack_bytes);
    let (init, cleanup) = (options.init.is_some(), options.cleanup.is_some());
    let backward = match &options.backward {
        None => quote! { ::core::option::Option::None },
        Some(backward) => {
            let backward = inside(backward);
            quote! { ::core::option::Option::Some(#backward::SIGNATURE) }
        }
    };
    let split = options.split.iter().map(|symbol| model.symbol(symbol).unwrap_or_default() as u8);
    quote! {
        /// The kernel's description, as its module and the pack's manifest record it.
        pub const SPEC: #abi::KernelSpec<'static> = #abi::KernelSpec {
            id: #id,
            name: #name,
            description: #description,
            category: #category,
            family: #family,
            entry_point: #entry_point,
            fallback: #fallback,
            limits: #abi::ResourceLimits {
                max_memory_pages: #pages,
                max_epoch_ticks: #ticks,
                max_table_elements: #elements,
                max_instances: #instances,
                max_stack_bytes: #stack,
            },
            lifecycle: #abi::Lifecycle { init: #init, cleanup: #cleanup },
            forward: SIGNATURE,
            backward: #backward,
            split: &[#(#split),*],
        };
    }
}
