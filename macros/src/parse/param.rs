//! One parameter of the function.

use kernelpack_abi::{ParamType, Role};
use syn::{
    Attribute, Expr, ExprLit, GenericArgument, Ident, Lit, Meta, Pat, PatType, PathArguments, Token, Type,
    TypeReference, parse::Parser, punctuated::Punctuated,
};

use super::{dim, ungroup};
use crate::{
    errors::Errors,
    model::{Dim, Op, Param, Scalar, Tensor},
    plain::plain,
};

/// Parses a parameter and removes the attributes that only the macro understands.
pub(super) fn parse(typed: &mut PatType, errors: &mut Errors) -> Param {
    let attributes = Attributes::take(&mut typed.attrs, errors);
    ungroup::ty(&mut typed.ty);
    let ident = match &*typed.pat {
        Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() && pat.mutability.is_none() => {
            pat.ident.clone()
        }
        Pat::Ident(pat) => {
            errors.at(
                pat,
                format_args!(
                    "a kernel's parameter must be a plain name: write `{}`, and `let mut` in the body",
                    pat.ident
                ),
            );
            pat.ident.clone()
        }
        other => {
            errors.at(other, "a kernel's parameter must be a plain name, since callers pass it by name");
            return Param::Unknown;
        }
    };
    match &*typed.ty {
        Type::Reference(reference) => slice(ident, reference, false, attributes, errors),
        Type::Path(path) => {
            if let Some(inner) = option(path) {
                return match inner {
                    Type::Reference(reference) => slice(ident, reference, true, attributes, errors),
                    Type::Path(_) if attributes.param.is_some() => {
                        errors
                            .at(path, "a scalar cannot be optional: write `#[param(default = ...)]` and the bare type");
                        Param::Unknown
                    }
                    other => {
                        errors.at(other, "an optional input is a slice: write `Option<&[T]>`");
                        Param::Unknown
                    }
                };
            }
            scalar(ident, path, attributes, errors)
        }
        other => {
            errors.at(other, TYPES);
            Param::Unknown
        }
    }
}

const TYPES: &str = "a kernel takes `&[T]`, `&mut [T]`, `Option<&[T]>`, scalars of f32, u32, i32 or bool marked \
                     `#[param]`, and `usize` named after a shape symbol";

/// The attributes of a parameter that the macro reads.
#[derive(Default)]
struct Attributes {
    shape: Option<Attribute>,
    inout: Option<Attribute>,
    scratch: Option<Attribute>,
    param: Option<Attribute>,
    /// Whether there was an unknown attribute, which may be a misspelled one that seems to be missing.
    unknown: bool,
}

impl Attributes {
    fn take(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> Self {
        let mut taken = Self::default();
        for attribute in std::mem::take(attributes) {
            let name = attribute.path().get_ident().map(Ident::to_string).unwrap_or_default();
            let slot = match name.as_str() {
                "shape" => &mut taken.shape,
                "inout" => &mut taken.inout,
                "scratch" => &mut taken.scratch,
                "param" => &mut taken.param,
                "allow" | "expect" | "warn" | "deny" => {
                    attributes.push(attribute);
                    continue;
                }
                _ => {
                    let known = "#[shape(...)], #[inout], #[scratch(len = ...)] or #[param(default = ...)]";
                    let given = plain(&attribute);
                    errors.at(
                        &attribute,
                        format_args!("`{given}` is not an attribute of a kernel's parameters: use {known}"),
                    );
                    taken.unknown = true;
                    continue;
                }
            };
            if slot.is_some() {
                errors.at(&attribute, format_args!("#[{name}] is given twice: remove one"));
            }
            *slot = Some(attribute);
        }
        taken
    }

    /// Refuses attributes that do not belong to this kind of parameter.
    fn refuse(attributes: &[&Option<Attribute>], why: &str, errors: &mut Errors) {
        for attribute in attributes.iter().copied().flatten() {
            errors.at(attribute, format_args!("{} {why}: remove it", plain(attribute)));
        }
    }
}

fn slice(
    ident: Ident,
    reference: &TypeReference,
    optional: bool,
    attributes: Attributes,
    errors: &mut Errors,
) -> Param {
    let mutable = reference.mutability.is_some();
    // Other lifetimes are declared in the generics, which are refused as a whole.
    if let Some(lifetime) = reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static") {
        errors.at(lifetime, format_args!("tensors live for one call: remove `{lifetime}`"));
    }
    let element = match &*reference.elem {
        Type::Slice(slice) => (*slice.elem).clone(),
        Type::Array(array) => {
            errors.at(
                array,
                format_args!(
                    "a tensor is a slice: write `{}[{}]` and give its length in #[shape(...)]",
                    if mutable { "&mut " } else { "&" },
                    plain(&array.elem)
                ),
            );
            return Param::Unknown;
        }
        other => {
            let owner = if mutable { "&mut " } else { "&" };
            let element = vec(other).unwrap_or(other);
            errors.at(other, format_args!("a tensor is a slice: write `{owner}[{}]`", plain(element)));
            return Param::Unknown;
        }
    };
    unsupported_element(&element, errors);
    Attributes::refuse(&[&attributes.param], "goes on scalars, but this is a tensor", errors);

    let role = match (mutable, &attributes.inout, &attributes.scratch) {
        (false, None, None) => Role::In,
        (true, None, None) => Role::Out,
        (true, Some(_), None) => Role::InOut,
        (true, None, Some(_)) => Role::Scratch,
        (true, Some(inout), Some(_)) => {
            errors.at(inout, "a tensor is either #[inout] or #[scratch], not both: remove one");
            Role::Scratch
        }
        (false, inout, scratch) => {
            for attribute in [inout, scratch].into_iter().flatten() {
                let element = plain(&element);
                errors.at(
                    attribute,
                    format_args!("{} goes on `&mut [{element}]`, but `{ident}` is read-only", plain(attribute)),
                );
            }
            if scratch.is_some() { Role::Scratch } else { Role::In }
        }
    };
    if optional && mutable {
        errors.at(reference, "only inputs may be optional: write `Option<&[T]>`, or make the output required");
    }
    if let Some(inout) = &attributes.inout
        && !matches!(inout.meta, Meta::Path(_))
    {
        errors.at(inout, "#[inout] takes no arguments: write `#[inout]`");
    }

    let mut dims = Vec::new();
    let mut len = Vec::new();
    if role == Role::Scratch {
        Attributes::refuse(
            &[&attributes.shape],
            "does not go on scratch, whose length is in #[scratch(len = ...)]",
            errors,
        );
        len = attributes.scratch.as_ref().and_then(|scratch| scratch_len(scratch, errors)).unwrap_or_default();
    } else {
        match &attributes.shape {
            Some(shape) => dims = shape_dims(shape, errors),
            None if attributes.unknown => {}
            None => errors.at(
                &ident,
                format_args!("tensor `{ident}` has no shape: put its extents before it, as in `#[shape(rows, dim)]`"),
            ),
        }
    }
    Param::Tensor(Tensor { ident, element, role, optional, dims, len })
}

/// Reports what to use instead of well-known types that are not element types; rustc checks unknown names.
fn unsupported_element(element: &Type, errors: &mut Errors) {
    const ELEMENTS: &str = "use f32, half::f16, i8, u8, i32, u32, BlockQ8_0 or BlockQ4_0";
    match element {
        Type::Path(path) => {
            let name = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            let hint = match name.as_str() {
                "f64" => "f32",
                "i16" | "i64" | "i128" | "isize" => "i32",
                "u16" | "u64" | "u128" | "usize" => "u32",
                "bool" | "char" => "u8",
                "String" | "str" | "Vec" | "Option" | "Box" => "",
                _ => return,
            };
            let hint = if hint.is_empty() { ELEMENTS.to_owned() } else { format!("use {hint}") };
            errors.at(element, format_args!("`{}` cannot be the element of a tensor: {hint}", plain(element)));
        }
        other => errors.at(other, format_args!("`{}` cannot be the element of a tensor: {ELEMENTS}", plain(other))),
    }
}

fn shape_dims(attribute: &Attribute, errors: &mut Errors) -> Vec<Dim> {
    let Meta::List(list) = &attribute.meta else {
        errors.at(attribute, "#[shape] needs extents: write `#[shape(rows, dim)]`");
        return Vec::new();
    };
    let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
    let Some(mut extents) = errors.ok(parser.parse2(list.tokens.clone())) else { return Vec::new() };
    extents.iter_mut().for_each(ungroup::expr);
    extents.iter().filter_map(|extent| errors.ok(dim::dim(extent))).collect()
}

fn scratch_len(attribute: &Attribute, errors: &mut Errors) -> Option<Vec<Op>> {
    let len = match &attribute.meta {
        Meta::List(list) => named_value(list, "len"),
        _ => None,
    };
    match len {
        Some(len) => errors.ok(dim::expr(&len)),
        None => {
            errors.at(attribute, "#[scratch] needs its length in elements: write `#[scratch(len = rows * 2)]`");
            None
        }
    }
}

/// Returns the expression of `name = expression`, if there is nothing else.
fn named_value(list: &syn::MetaList, name: &str) -> Option<Expr> {
    let mut value = syn::parse2::<syn::MetaNameValue>(list.tokens.clone()).ok()?;
    ungroup::expr(&mut value.value);
    value.path.is_ident(name).then_some(value.value)
}

fn scalar(ident: Ident, path: &syn::TypePath, attributes: Attributes, errors: &mut Errors) -> Param {
    let name = path.path.get_ident().map(Ident::to_string).unwrap_or_default();
    if name == "usize" {
        if attributes.param.is_some() {
            errors.at(path, "a scalar cannot be a usize, whose size differs between host and sandbox: use u32");
            return Param::Unknown;
        }
        Attributes::refuse(
            &[&attributes.shape, &attributes.inout, &attributes.scratch],
            "goes on tensors, but this is a `usize` that is filled in from the shapes",
            errors,
        );
        return Param::Symbol(ident);
    }
    let Some(ty) = ParamType::from_name(&name) else {
        if let Some(element) = vec(&Type::Path(path.clone())) {
            let element = plain(element);
            errors.at(
                path,
                format_args!(
                    "a kernel cannot own memory: write `&[{element}]` for an input, `&mut [{element}]` for an output"
                ),
            );
            return Param::Unknown;
        }
        let hint = match name.as_str() {
            "f64" | "f16" => "use f32",
            "u8" | "u16" | "u64" => "use u32",
            "i8" | "i16" | "i64" | "isize" => "use i32",
            _ => TYPES,
        };
        errors.at(path, format_args!("`{}` cannot be a parameter of a kernel: {hint}", plain(path)));
        return Param::Unknown;
    };
    Attributes::refuse(
        &[&attributes.shape, &attributes.inout, &attributes.scratch],
        "goes on tensors, but this is a scalar",
        errors,
    );
    let default = match &attributes.param {
        None if attributes.unknown => None,
        None => {
            errors.at(
                &ident,
                format_args!("scalar `{ident}` is not marked: put `#[param]` or `#[param(default = ...)]` before it"),
            );
            None
        }
        Some(attribute) => param_default(attribute, ty, errors),
    };
    let has_default = matches!(&attributes.param, Some(attribute) if !matches!(attribute.meta, Meta::Path(_)));
    Param::Scalar(Scalar { ident, ty, default, has_default })
}

fn param_default(attribute: &Attribute, ty: ParamType, errors: &mut Errors) -> Option<Expr> {
    let list = match &attribute.meta {
        Meta::Path(_) => return None,
        Meta::List(list) => list,
        Meta::NameValue(_) => {
            errors.at(attribute, "write `#[param(default = ...)]`");
            return None;
        }
    };
    let Some(default) = named_value(list, "default") else {
        errors.at(attribute, "#[param] takes one argument: write `#[param]` or `#[param(default = ...)]`");
        return None;
    };
    // A bare `-1` is a literal with a sign; in parentheses it is an operation.
    let (negative, literal) = match &default {
        Expr::Unary(syn::ExprUnary { op: syn::UnOp::Neg(_), expr, .. }) => (true, &**expr),
        other => (false, other),
    };
    // Rustc checks other constant expressions.
    if let Expr::Lit(ExprLit { lit, .. }) = literal {
        let fits = match (ty, lit) {
            (ParamType::F32, Lit::Float(_)) | (ParamType::Bool, Lit::Bool(_)) => true,
            (ParamType::U32, Lit::Int(value)) => !negative && value.base10_parse::<u32>().is_ok(),
            (ParamType::I32, Lit::Int(value)) => value.base10_parse::<i64>().is_ok_and(|value| {
                let value = if negative { -value } else { value };
                i32::try_from(value).is_ok()
            }),
            _ => false,
        };
        if !fits {
            let fix = match (ty, lit) {
                (ParamType::F32, Lit::Int(value)) => format!("write `{value}.0`"),
                (ParamType::F32, _) => "write a number with a decimal point".to_owned(),
                (ParamType::Bool, _) => "write `true` or `false`".to_owned(),
                (ParamType::U32, _) => "write a whole number from 0 to 4294967295".to_owned(),
                (ParamType::I32, _) => "write a whole number from -2147483648 to 2147483647".to_owned(),
            };
            errors.at(&default, format_args!("the default is not {}: {fix}", with_article(ty)));
            return None;
        }
    }
    Some(default)
}

fn with_article(ty: ParamType) -> &'static str {
    match ty {
        ParamType::F32 => "an f32",
        ParamType::U32 => "a u32",
        ParamType::I32 => "an i32",
        ParamType::Bool => "a bool",
    }
}

/// Returns the `T` of an `Option<T>`.
fn option(path: &syn::TypePath) -> Option<&Type> {
    argument_of("Option", path)
}

/// Returns the `T` of a `Vec<T>`.
fn vec(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    argument_of("Vec", path)
}

fn argument_of<'t>(generic: &str, path: &'t syn::TypePath) -> Option<&'t Type> {
    let segment = path.path.segments.last().filter(|segment| segment.ident == generic)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) if arguments.args.len() == 1 => Some(ty),
        _ => None,
    }
}
