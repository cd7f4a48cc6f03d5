//! The arguments of the attribute: `#[kernel(category = "normalization", ...)]`.

use kernelpack_abi::ResourceLimits;
use proc_macro2::TokenStream;
use syn::{Expr, Ident, Lit, LitStr, Path, Token, parse::Parser, punctuated::Punctuated};

use super::ungroup;
use crate::{
    errors::Errors,
    model::{Direction, Options},
};

const FORWARD: &[&str] = &[
    "category",
    "name",
    "family",
    "entry_point",
    "fallback",
    "max_memory_pages",
    "max_epoch_ticks",
    "max_table_elements",
    "max_instances",
    "max_stack_bytes",
    "init",
    "cleanup",
    "backward",
    "split",
    "crate",
];
const BACKWARD: &[&str] = &["crate"];

pub(super) fn parse(direction: Direction, tokens: TokenStream, errors: &mut Errors) -> Options {
    let mut options = Options::default();
    let parser = Punctuated::<Setting, Token![,]>::parse_terminated;
    let Some(settings) = errors.ok(parser.parse2(tokens)) else { return options };
    let known = match direction {
        Direction::Forward => FORWARD,
        Direction::Backward => BACKWARD,
    };
    let mut seen: Vec<String> = Vec::new();
    for Setting { key, value } in settings {
        let name = key.to_string();
        if !known.contains(&name.as_str()) {
            let attribute = direction.attribute();
            errors.at(&key, format_args!("{attribute} has no argument `{name}`: it takes {}", known.join(", ")));
            continue;
        }
        if seen.contains(&name) {
            errors.at(&key, format_args!("`{name}` is given twice: remove one"));
            continue;
        }
        match name.as_str() {
            "category" => options.category = text(&key, value, errors),
            "name" => options.name = text(&key, value, errors),
            "family" => options.family = text(&key, value, errors),
            "entry_point" => options.entry_point = text(&key, value, errors),
            "fallback" => options.fallback = text(&key, value, errors),
            "max_memory_pages" => options.max_memory_pages = number(&key, value, 1, 65_536, errors),
            "max_epoch_ticks" => options.max_epoch_ticks = number(&key, value, 1, u32::MAX, errors),
            "max_table_elements" => options.max_table_elements = number(&key, value, 0, 10_000_000, errors),
            "max_instances" => {
                options.max_instances = number(&key, value, 1, ResourceLimits::MOST_INSTANCES, errors);
            }
            "max_stack_bytes" => options.max_stack_bytes = stack(&key, value, errors),
            "init" => options.init = path(&key, value, errors),
            "cleanup" => options.cleanup = path(&key, value, errors),
            "backward" => options.backward = path(&key, value, errors),
            "split" => options.split = symbols(&key, value, errors),
            _ => options.krate = path(&key, value, errors),
        }
        seen.push(name);
    }
    options
}

/// `key = value`, where the key may be the keyword `crate`.
struct Setting {
    key: Ident,
    value: Expr,
}

impl syn::parse::Parse for Setting {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        use syn::ext::IdentExt as _;
        let key = Ident::parse_any(input)?;
        if !input.peek(Token![=]) {
            return Err(syn::Error::new(key.span(), format_args!("`{key}` needs a value: write `{key} = ...`")));
        }
        input.parse::<Token![=]>()?;
        let mut value = input.parse()?;
        ungroup::expr(&mut value);
        Ok(Self { key, value })
    }
}

fn text(key: &Ident, value: Expr, errors: &mut Errors) -> Option<LitStr> {
    match value {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => {
            if text.value().is_empty() && key != "fallback" {
                errors.at(&text, format_args!("`{key}` is empty: give it a value or leave it out"));
            }
            Some(text)
        }
        other => {
            errors.at(other, format_args!("`{key}` takes a string: write `{key} = \"...\"`"));
            None
        }
    }
}

fn number(key: &Ident, value: Expr, min: u32, max: u32, errors: &mut Errors) -> Option<u32> {
    if let Expr::Lit(syn::ExprLit { lit: Lit::Int(literal), .. }) = &value
        && let Ok(number) = literal.base10_parse::<u32>()
        && (min..=max).contains(&number)
    {
        return Some(number);
    }
    errors.at(value, format_args!("`{key}` must be a whole number from {min} to {max}"));
    None
}

fn stack(key: &Ident, value: Expr, errors: &mut Errors) -> Option<u32> {
    let (least, most) = (ResourceLimits::LEAST_STACK, ResourceLimits::MOST_STACK);
    let bytes = number(key, value.clone(), least, most, errors)?;
    if !ResourceLimits::is_stack_size(bytes) {
        let next = bytes.next_power_of_two();
        errors.at(value, format_args!("`{key}` must be a power of two, such as {} or {next}", next / 2));
        return None;
    }
    Some(bytes)
}

/// Parses one symbol, or several in brackets.
fn symbols(key: &Ident, value: Expr, errors: &mut Errors) -> Vec<Ident> {
    let given = match value {
        Expr::Array(list) => list.elems.into_iter().collect(),
        one => vec![one],
    };
    let mut symbols: Vec<Ident> = Vec::new();
    for expr in given {
        match &expr {
            Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => match path.path.get_ident() {
                Some(symbol) if symbols.contains(symbol) => {
                    errors.at(symbol, format_args!("`{symbol}` is named twice: remove one"));
                }
                Some(symbol) => symbols.push(symbol.clone()),
                None => not_a_symbol(key, &expr, errors),
            },
            _ => not_a_symbol(key, &expr, errors),
        }
    }
    symbols
}

fn not_a_symbol(key: &Ident, expr: &Expr, errors: &mut Errors) {
    errors.at(
        expr,
        format_args!("`{key}` takes shape symbols: write `{key} = rows`, or `{key} = [batch, rows]` for several"),
    );
}

fn path(key: &Ident, value: Expr, errors: &mut Errors) -> Option<Path> {
    match value {
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => Some(path.path),
        other => {
            errors.at(other, format_args!("`{key}` takes a path: write `{key} = some::path` without quotes"));
            None
        }
    }
}
