//! A `#[kernel]` function, as data.

use kernelpack_abi::{ParamType, Role};
use syn::{Attribute, Expr, Ident, ItemFn, LitStr, Path, Type};

/// The pass that a function implements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// `#[kernel]`.
    Forward,
    /// `#[backward]`.
    Backward,
}

impl Direction {
    /// Returns the attribute's name, for messages.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Forward => "#[kernel]",
            Self::Backward => "#[backward]",
        }
    }
}

/// A whole annotated function.
pub(crate) struct Model {
    pub(crate) direction: Direction,
    pub(crate) options: Options,
    /// The function without the attributes that only the macro understands.
    pub(crate) function: ItemFn,
    /// `#[cfg]`s of the function, which everything emitted must repeat.
    pub(crate) cfgs: Vec<Attribute>,
    /// The first paragraph of the documentation.
    pub(crate) description: String,
    /// The parameters in declaration order.
    pub(crate) params: Vec<Param>,
    /// Shape symbols in the order of their first appearance.
    pub(crate) symbols: Vec<Ident>,
}

/// The arguments of the attribute.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) category: Option<LitStr>,
    pub(crate) family: Option<LitStr>,
    pub(crate) entry_point: Option<LitStr>,
    pub(crate) fallback: Option<LitStr>,
    pub(crate) max_memory_pages: Option<u32>,
    pub(crate) max_epoch_ticks: Option<u32>,
    pub(crate) max_table_elements: Option<u32>,
    pub(crate) max_instances: Option<u32>,
    pub(crate) max_stack_bytes: Option<u32>,
    pub(crate) init: Option<Path>,
    pub(crate) cleanup: Option<Path>,
    pub(crate) backward: Option<Path>,
    /// Symbols over which calls may be split.
    pub(crate) split: Vec<Ident>,
    /// The path of `kernelpack_guest`, for crates that rename it.
    pub(crate) krate: Option<Path>,
}

/// A parameter of the function.
pub(crate) enum Param {
    Tensor(Tensor),
    Scalar(Scalar),
    /// A bare `usize`, whose value comes from the shapes.
    Symbol(Ident),
    /// A parameter that could not be parsed; the mistake has been reported.
    Unknown,
}

/// A slice parameter.
pub(crate) struct Tensor {
    pub(crate) ident: Ident,
    pub(crate) element: Type,
    pub(crate) role: Role,
    pub(crate) optional: bool,
    pub(crate) dims: Vec<Dim>,
    /// The length of a scratch tensor in reverse Polish order.
    pub(crate) len: Vec<Op>,
}

/// A scalar parameter.
pub(crate) struct Scalar {
    pub(crate) ident: Ident,
    pub(crate) ty: ParamType,
    pub(crate) default: Option<Expr>,
    /// Whether the author gave a default, even one with a mistake in it.
    pub(crate) has_default: bool,
}

/// An extent.
#[derive(Clone)]
pub(crate) enum Dim {
    Fixed(u32),
    Symbol(Ident),
    Div(Ident, u32),
    Mul(Ident, u32),
}

impl Dim {
    /// Returns the symbol that the extent uses.
    pub(crate) fn symbol(&self) -> Option<&Ident> {
        match self {
            Self::Fixed(_) => None,
            Self::Symbol(symbol) | Self::Div(symbol, _) | Self::Mul(symbol, _) => Some(symbol),
        }
    }
}

/// A step of computing a scratch length.
#[derive(Clone)]
pub(crate) enum Op {
    Const(u32),
    Symbol(Ident),
    Add,
    Sub,
    Mul,
    Div,
}

impl Model {
    /// Returns the function's name, which is the kernel's id.
    pub(crate) fn id(&self) -> &Ident {
        &self.function.sig.ident
    }

    /// Returns the folder of the module in a pack.
    pub(crate) fn family(&self) -> String {
        let from_id = || self.id().to_string().split('_').next().unwrap_or_default().to_owned();
        self.options.family.as_ref().map_or_else(from_id, LitStr::value)
    }

    /// Returns the alias of `kernel_forward`.
    pub(crate) fn entry_point(&self) -> String {
        let from_family = || format!("{}_forward", self.family());
        self.options.entry_point.as_ref().map_or_else(from_family, LitStr::value)
    }

    /// Returns the tensors in declaration order, which is the order of the tensor table.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        self.params.iter().filter_map(|param| match param {
            Param::Tensor(tensor) => Some(tensor),
            _ => None,
        })
    }

    /// Returns the scalars in declaration order.
    pub(crate) fn scalars(&self) -> impl Iterator<Item = &Scalar> {
        self.params.iter().filter_map(|param| match param {
            Param::Scalar(scalar) => Some(scalar),
            _ => None,
        })
    }

    /// Returns the index of a symbol.
    pub(crate) fn symbol(&self, ident: &Ident) -> Option<usize> {
        self.symbols.iter().position(|symbol| symbol == ident)
    }
}
