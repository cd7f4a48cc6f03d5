//! Describes where two specs differ, for messages.

use std::fmt::{self, Debug};

use kernelpack_abi::{Dim, KernelSpecBuf, Op, ParamSpecBuf, ParamValue, SignatureBuf, TensorSpecBuf};

use crate::{Extent, Length, Step};

/// Describes the first field in which two specs differ, with the value in `a` and then that in `b`.
///
/// Returns `None` if the specs are identical bit for bit. This is stricter than `==`, which does not distinguish a
/// default of 0.0 from one of -0.0.
///
/// # Example: a renamed kernel
/// ```
/// use kernelpack_abi::{KernelSpecBuf, Lifecycle, ResourceLimits, SignatureBuf};
/// use kernelpack_manifest::first_difference;
///
/// let text = |text: &str| text.to_owned();
/// let a = KernelSpecBuf {
///     id: text("rope_f32"),
///     name: text("RoPE"),
///     description: text(""),
///     category: text("positional_encoding"),
///     family: text("rope"),
///     entry_point: text("rope_forward"),
///     fallback: text(""),
///     limits: ResourceLimits::DEFAULT,
///     lifecycle: Lifecycle::default(),
///     forward: SignatureBuf::default(),
///     backward: None,
///     split: Vec::new(),
/// };
/// let b = KernelSpecBuf { name: text("Rotary"), ..a.clone() };
/// assert_eq!(first_difference(&a, &a), None);
/// assert_eq!(first_difference(&a, &b).unwrap(), r#"name is "RoPE" and "Rotary""#);
/// ```
pub fn first_difference(a: &KernelSpecBuf, b: &KernelSpecBuf) -> Option<String> {
    // Destructures the spec, so that a field that is added to it cannot be forgotten here.
    let KernelSpecBuf {
        id,
        name,
        description,
        category,
        family,
        entry_point,
        fallback,
        limits,
        lifecycle,
        forward,
        backward,
        split,
    } = a;
    differ("id", id, &b.id)
        .or_else(|| differ("name", name, &b.name))
        .or_else(|| differ("description", description, &b.description))
        .or_else(|| differ("category", category, &b.category))
        .or_else(|| differ("family", family, &b.family))
        .or_else(|| differ("entry_point", entry_point, &b.entry_point))
        .or_else(|| differ("fallback", fallback, &b.fallback))
        .or_else(|| differ("max_memory_pages", &limits.max_memory_pages, &b.limits.max_memory_pages))
        .or_else(|| differ("max_epoch_ticks", &limits.max_epoch_ticks, &b.limits.max_epoch_ticks))
        .or_else(|| differ("max_table_elements", &limits.max_table_elements, &b.limits.max_table_elements))
        .or_else(|| differ("max_instances", &limits.max_instances, &b.limits.max_instances))
        .or_else(|| differ("max_stack_bytes", &limits.max_stack_bytes, &b.limits.max_stack_bytes))
        .or_else(|| differ("init", &lifecycle.init, &b.lifecycle.init))
        .or_else(|| differ("cleanup", &lifecycle.cleanup, &b.lifecycle.cleanup))
        .or_else(|| Pass { name: "", a: forward, b: &b.forward }.first_difference())
        .or_else(|| match (backward, &b.backward) {
            (Some(a), Some(b)) => Pass { name: "backward ", a, b }.first_difference(),
            (a, b) => differ("backward", &a.is_some(), &b.is_some()),
        })
        .or_else(|| differ("split", &split_text(split, &forward.symbols), &split_text(&b.split, &b.forward.symbols)))
}

fn differ<T: PartialEq + Debug>(field: impl fmt::Display, a: &T, b: &T) -> Option<String> {
    (a != b).then(|| format!("{field} is {a:?} and {b:?}"))
}

/// The same pass of both specs.
struct Pass<'a> {
    name: &'static str,
    a: &'a SignatureBuf,
    b: &'a SignatureBuf,
}

impl Pass<'_> {
    fn first_difference(&self) -> Option<String> {
        let Self { name: pass, a, b } = *self;
        let tensors = |signature: &SignatureBuf| names(&signature.tensors, |tensor| &tensor.name);
        let params = |signature: &SignatureBuf| names(&signature.params, |param| &param.name);
        differ(format_args!("{pass}tensors"), &tensors(a), &tensors(b))
            .or_else(|| a.tensors.iter().zip(&b.tensors).find_map(|(a, b)| self.in_tensor(a, b)))
            .or_else(|| differ(format_args!("{pass}symbols"), &a.symbols, &b.symbols))
            .or_else(|| differ(format_args!("{pass}parameters"), &params(a), &params(b)))
            .or_else(|| a.params.iter().zip(&b.params).find_map(|(a, b)| self.in_param(a, b)))
    }

    fn in_tensor(&self, a: &TensorSpecBuf, b: &TensorSpecBuf) -> Option<String> {
        let TensorSpecBuf { name, dtype, role, optional, dims, len } = a;
        let field = |field: &str| format!("{}tensor {name:?}: {field}", self.name);
        let shape = |dims: &[Dim], symbols: &[String]| Plain(shape_text(dims, symbols));
        let length = |ops: &[Op], symbols: &[String]| Plain(length_text(ops, symbols));
        differ(field("dtype"), &Plain(dtype.name()), &Plain(b.dtype.name()))
            .or_else(|| differ(field("role"), &Plain(role.name()), &Plain(b.role.name())))
            .or_else(|| differ(field("optional"), optional, &b.optional))
            .or_else(|| differ(field("shape"), &shape(dims, &self.a.symbols), &shape(&b.dims, &self.b.symbols)))
            .or_else(|| differ(field("length"), &length(len, &self.a.symbols), &length(&b.len, &self.b.symbols)))
    }

    fn in_param(&self, a: &ParamSpecBuf, b: &ParamSpecBuf) -> Option<String> {
        let ParamSpecBuf { name, ty, default } = a;
        let field = |field: &str| format!("{}parameter {name:?}: {field}", self.name);
        let bits = |default: Option<ParamValue>| default.map(|value| (value.ty(), value.to_bits()));
        let text = |default: &Option<ParamValue>| default.map_or("none".to_owned(), |value| value.to_string());
        differ(field("type"), &Plain(ty.name()), &Plain(b.ty.name())).or_else(|| {
            (bits(*default) != bits(b.default))
                .then(|| format!("{} is {} and {}", field("default"), text(default), text(&b.default)))
        })
    }
}

fn names<T>(items: &[T], name: impl Fn(&T) -> &String) -> Plain<String> {
    let names: Vec<&str> = items.iter().map(|item| name(item).as_str()).collect();
    Plain(format!("[{}]", names.join(", ")))
}

/// Uses names rather than indices, since the same index means different things if the symbols differ.
fn shape_text(dims: &[Dim], symbols: &[String]) -> String {
    let name = |index: u8| symbols.get(usize::from(index)).cloned().unwrap_or(format!("symbol {index}"));
    let extent = |dim: &Dim| match *dim {
        Dim::Fixed(extent) => Extent::Fixed(extent),
        Dim::Symbol(index) => Extent::Symbol(name(index)),
        Dim::Div(index, by) => Extent::Div(name(index), by),
        Dim::Mul(index, by) => Extent::Mul(name(index), by),
    };
    let extents: Vec<String> = dims.iter().map(|dim| extent(dim).to_string()).collect();
    format!("[{}]", extents.join(", "))
}

fn split_text(split: &[u8], symbols: &[String]) -> Plain<String> {
    let dims: Vec<Dim> = split.iter().map(|&index| Dim::Symbol(index)).collect();
    Plain(shape_text(&dims, symbols))
}

fn length_text(ops: &[Op], symbols: &[String]) -> String {
    let steps: Option<Vec<Step>> = ops.iter().map(|&op| Step::from_op(op, symbols)).collect();
    // Anything that is not an expression is shown step by step, such as the empty list of tensors that are not scratch.
    match steps.map(Length::new) {
        Some(Ok(length)) => length.to_string(),
        _ => format!("{ops:?}"),
    }
}

/// Shows a text without quotes.
#[derive(PartialEq)]
struct Plain<T>(T);

impl<T: fmt::Display> Debug for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
