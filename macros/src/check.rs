//! Checks the rules that concern the whole function rather than one parameter.

use kernelpack_abi::{MAX_PARAMS, MAX_RANK, MAX_SYMBOLS, MAX_TENSORS, Role, exports};
use quote::ToTokens;
use syn::{Ident, LitStr};

use crate::{
    errors::Errors,
    model::{Dim, Model, Op, Param},
};

/// Finds the mistakes that cannot be found in one parameter alone.
pub(crate) fn run(model: &Model, errors: &mut Errors) {
    names(model, errors);
    symbols(model, errors);
    counts(model, errors);
    options(model, errors);
    lifecycle(model, errors);
    split(model, errors);
}

fn names(model: &Model, errors: &mut Errors) {
    identifier(model.id(), "a kernel's name", errors);
    let mut seen: Vec<&Ident> = Vec::new();
    for param in &model.params {
        let ident = match param {
            Param::Tensor(tensor) => &tensor.ident,
            Param::Scalar(scalar) => &scalar.ident,
            Param::Symbol(ident) => {
                if !model.symbols.contains(ident) {
                    let known = match &*model.symbols {
                        [] => String::new(),
                        symbols => format!(", or use one of {}", list(symbols)),
                    };
                    errors
                        .at(ident, format_args!("`{ident}` is not a shape symbol: name it in a #[shape(...)]{known}"));
                }
                ident
            }
            Param::Unknown => continue,
        };
        if seen.contains(&ident) {
            errors.at(ident, format_args!("two parameters are called `{ident}`: rename one"));
        }
        seen.push(ident);
        if matches!(param, Param::Symbol(_)) {
            continue;
        }
        identifier(ident, "a parameter's name", errors);
        if model.symbols.contains(ident) {
            errors.at(
                ident,
                format_args!(
                    "parameter `{ident}` shadows the shape symbol `{ident}`: rename one, or make it a bare `usize`"
                ),
            );
        }
    }
    for symbol in &model.symbols {
        identifier(symbol, "a shape symbol", errors);
    }
}

/// Checks that a name is plain, since names go into manifests and file names.
fn identifier(ident: &Ident, what: &str, errors: &mut Errors) {
    let name = ident.to_string();
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !plain || name.len() > 64 {
        errors.at(
            ident,
            format_args!(
                "{what} must start with a letter, have only a-z, 0-9 and _, and be at most 64 characters long: rename \
                 `{name}`"
            ),
        );
    }
}

fn symbols(model: &Model, errors: &mut Errors) {
    let determined = |symbol: &Ident| {
        let mut tensors = model.tensors().filter(|tensor| !tensor.optional && tensor.role != Role::Scratch);
        tensors.any(|tensor| tensor.dims.iter().any(|dim| dim.symbol() == Some(symbol)))
    };
    for symbol in &model.symbols {
        if !determined(symbol) {
            errors.at(
                symbol,
                format_args!(
                    "only an optional input determines `{symbol}`: use it in the shape of a required tensor too"
                ),
            );
        }
    }
    for tensor in model.tensors() {
        for op in &tensor.len {
            if let Op::Symbol(symbol) = op
                && !model.symbols.contains(symbol)
            {
                let known = usable(&model.symbols, "a length may use");
                errors.at(symbol, format_args!("`{symbol}` is not a shape symbol: {known}"));
            }
        }
    }
}

/// Lists the symbols that may be used in place of an unknown one.
fn usable(symbols: &[Ident], lead: &str) -> String {
    match symbols {
        [] => "no #[shape(...)] names a symbol".to_owned(),
        symbols => format!("{lead} {}", list(symbols)),
    }
}

fn list(symbols: &[Ident]) -> String {
    symbols.iter().map(|symbol| format!("`{symbol}`")).collect::<Vec<_>>().join(", ")
}

fn counts(model: &Model, errors: &mut Errors) {
    let has_unknown = model.params.iter().any(|param| matches!(param, Param::Unknown));
    if !has_unknown && !model.tensors().any(|tensor| matches!(tensor.role, Role::Out | Role::InOut)) {
        errors.at(model.id(), "this kernel has no output: add a `&mut [T]` parameter with a #[shape(...)]");
    }
    for (tensor, index) in model.tensors().zip(0..) {
        if index == MAX_TENSORS {
            errors.at(
                &tensor.ident,
                format_args!("a kernel has at most {MAX_TENSORS} tensors: this one exceeds the limit"),
            );
        }
        if tensor.dims.len() > MAX_RANK {
            let rank = tensor.dims.len();
            errors.at(
                &tensor.ident,
                format_args!("a tensor has at most {MAX_RANK} axes, but `{}` has {rank}", tensor.ident),
            );
        }
    }
    if let Some(symbol) = model.symbols.get(MAX_SYMBOLS) {
        errors
            .at(symbol, format_args!("a kernel has at most {MAX_SYMBOLS} shape symbols: `{symbol}` exceeds the limit"));
    }
    if let Some(scalar) = model.scalars().nth(MAX_PARAMS) {
        errors.at(&scalar.ident, format_args!("a kernel has at most {MAX_PARAMS} scalars: this one exceeds the limit"));
    }
}

fn options(model: &Model, errors: &mut Errors) {
    let options = &model.options;
    let plain = |text: &Option<LitStr>, what: &str, errors: &mut Errors| {
        let Some(text) = text else { return };
        let value = text.value();
        let fits = value.starts_with(|c: char| c.is_ascii_lowercase())
            && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && value.len() <= 64;
        if !fits && !value.is_empty() {
            errors.at(
                text,
                format_args!(
                    "{what} must start with a letter, have only a-z, 0-9 and _, and be at most 64 characters long"
                ),
            );
        }
    };
    plain(&options.category, "a category", errors);
    plain(&options.family, "a family", errors);
    plain(&options.fallback, "a fallback's name", errors);
    let taken = exports::STANDARD.contains(&model.entry_point().as_str());
    match &options.entry_point {
        Some(given) if taken => {
            let value = given.value();
            errors.at(given, format_args!("modules already export `{value}`: choose another name"));
        }
        None if taken => errors.at(
            options.family.as_ref().map_or_else(|| model.id().to_token_stream(), ToTokens::to_token_stream),
            format_args!(
                "the entry point would be `{}`, which modules already export: choose one with `entry_point = \"...\"`",
                model.entry_point()
            ),
        ),
        given => plain(given, "an entry point", errors),
    }
}

/// Checks that a range of the axis is a contiguous range of each tensor's bytes, and that every result has the axis.
fn split(model: &Model, errors: &mut Errors) {
    for symbol in &model.options.split {
        if !model.symbols.contains(symbol) {
            let known = usable(&model.symbols, "a call may be split over");
            errors.at(symbol, format_args!("`{symbol}` is not a shape symbol: {known}"));
            continue;
        }
        let fault = model.tensors().find_map(|tensor| {
            let name = &tensor.ident;
            let is_outermost = matches!(tensor.dims.first(), Some(Dim::Symbol(first)) if first == symbol);
            let is_inside = tensor.dims.iter().skip(usize::from(is_outermost)).any(|dim| dim.symbol() == Some(symbol));
            if is_inside {
                Some(format!("`{symbol}` may only be an outermost extent, by itself, which it is not in `{name}`"))
            } else if matches!(tensor.role, Role::Out | Role::InOut) && !is_outermost {
                Some(format!("every output must have `{symbol}` as its outermost extent, but `{name}` does not"))
            } else {
                None
            }
        });
        if let Some(fault) = fault {
            errors.at(symbol, format_args!("a call cannot be split over `{symbol}`: {fault}"));
        }
    }
}

/// Checks that every scalar has a default if there is an `init`: an instance is made before any call, so nothing could
/// pass it other values.
fn lifecycle(model: &Model, errors: &mut Errors) {
    if model.options.init.is_none() {
        return;
    }
    for scalar in model.scalars().filter(|scalar| !scalar.has_default) {
        let ident = &scalar.ident;
        errors.at(
            ident,
            format_args!(
                "`init` runs when an instance is created, before any call can pass `{ident}`: give it a default, \
                 `#[param(default = ...)]`"
            ),
        );
    }
}
