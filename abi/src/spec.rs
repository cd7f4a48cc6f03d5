//! The spec of a kernel, which the guest glue, the custom section, the manifest and the host stub share.

use crate::{DType, Dim, Expr, Role};

/// The most tensors that a call may have.
pub const MAX_TENSORS: usize = 16;
/// The most shape symbols that a call may have.
pub const MAX_SYMBOLS: usize = 16;
/// The most scalar parameters that a call may have.
pub const MAX_PARAMS: usize = 32;

/// A kernel as its author declared it. `#[kernel]` generates it as a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelSpec<'a> {
    /// The function's name, unique in a pack.
    pub id: &'a str,
    /// The display name.
    pub name: &'a str,
    /// The first paragraph of the function's documentation.
    pub description: &'a str,
    /// The kernel's purpose, such as `normalization`.
    pub category: &'a str,
    /// The folder of the module in a pack, such as `rope` for `rope_f32`.
    pub family: &'a str,
    /// The alias under which the module also exports `kernel_forward`, such as `rope_forward`.
    pub entry_point: &'a str,
    /// The name of the reference implementation that a host may fall back to.
    pub fallback: &'a str,
    /// The resources that an instance may use.
    pub limits: ResourceLimits,
    /// Which optional exports exist.
    pub lifecycle: Lifecycle,
    /// The signature of `kernel_forward`.
    pub forward: Signature<'a>,
    /// The signature of `kernel_backward`, if the author declares one.
    pub backward: Option<Signature<'a>>,
    /// The symbols of the forward pass over which a host may split one call into several, each for a range of the axis,
    /// with the same results. [`Signature::is_split_by`] states the requirements for such a symbol.
    pub split: &'a [u8],
}

/// The tensors and scalars of one pass of a kernel, in declaration order.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Signature<'a> {
    /// The names that declared shapes use; a [`Dim`] refers to them by index.
    pub symbols: &'a [&'a str],
    /// Every tensor, in declaration order, which is the order of the tensor table.
    pub tensors: &'a [TensorSpec<'a>],
    /// Every scalar, in declaration order.
    pub params: &'a [ParamSpec<'a>],
}

/// A declared tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorSpec<'a> {
    /// The parameter's name.
    pub name: &'a str,
    /// The type of the tensor's elements.
    pub dtype: DType,
    /// Whether the kernel reads or writes the tensor.
    pub role: Role,
    /// Whether a call may omit the tensor; inputs only.
    pub optional: bool,
    /// The tensor's extents, outermost first; empty for scratch.
    pub dims: &'a [Dim],
    /// The number of elements; scratch only.
    pub len: Expr<'a>,
}

/// A declared scalar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamSpec<'a> {
    /// The parameter's name.
    pub name: &'a str,
    /// The parameter's type.
    pub ty: ParamType,
    /// The value that is used if a call gives none, of type `ty`.
    pub default: Option<ParamValue>,
}

/// The type of a scalar parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ParamType {
    /// IEEE 754 binary32.
    F32 = 1,
    /// Unsigned 32-bit integer.
    U32 = 2,
    /// Two's complement 32-bit integer.
    I32 = 3,
    /// One byte, 0 or 1.
    Bool = 4,
}

impl ParamType {
    /// Every type, in the order of its codes.
    pub const ALL: [Self; 4] = [Self::F32, Self::U32, Self::I32, Self::Bool];

    /// Returns the type with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| *ty as u8 == code)
    }

    /// Returns the type with this name, as [`name`](Self::name) gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name() == name)
    }

    /// Returns the name in manifests and in Rust.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::Bool => "bool",
        }
    }

    /// Returns the size in bytes in the params block, which is also the alignment there.
    pub const fn size(self) -> u32 {
        match self {
            Self::F32 | Self::U32 | Self::I32 => 4,
            Self::Bool => 1,
        }
    }
}

/// The value of a scalar parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamValue {
    /// An `f32`.
    F32(f32),
    /// A `u32`.
    U32(u32),
    /// An `i32`.
    I32(i32),
    /// A `bool`.
    Bool(bool),
}

impl ParamValue {
    /// Returns the type of the value.
    pub const fn ty(self) -> ParamType {
        match self {
            Self::F32(_) => ParamType::F32,
            Self::U32(_) => ParamType::U32,
            Self::I32(_) => ParamType::I32,
            Self::Bool(_) => ParamType::Bool,
        }
    }

    /// Returns the value as 32 bits, a `bool` as 0 or 1.
    pub const fn to_bits(self) -> u32 {
        match self {
            Self::F32(value) => value.to_bits(),
            Self::U32(value) => value,
            Self::I32(value) => value as u32,
            Self::Bool(value) => value as u32,
        }
    }

    /// Makes a value of this type from 32 bits; `None` for a `bool` that is neither 0 nor 1.
    pub const fn from_bits(ty: ParamType, bits: u32) -> Option<Self> {
        Some(match ty {
            ParamType::F32 => Self::F32(f32::from_bits(bits)),
            ParamType::U32 => Self::U32(bits),
            ParamType::I32 => Self::I32(bits as i32),
            ParamType::Bool if bits <= 1 => Self::Bool(bits == 1),
            ParamType::Bool => return None,
        })
    }
}

impl core::fmt::Display for ParamValue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::F32(value) => value.fmt(f),
            Self::U32(value) => value.fmt(f),
            Self::I32(value) => value.fmt(f),
            Self::Bool(value) => value.fmt(f),
        }
    }
}

/// The resources that one instance of a kernel may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceLimits {
    /// Linear memory in pages of 64 KiB, including the module's own data and stack.
    pub max_memory_pages: u32,
    /// Epoch ticks that one call may take; a tick is 10 ms.
    pub max_epoch_ticks: u32,
    /// Elements of the module's tables.
    pub max_table_elements: u32,
    /// Instances of the module that may exist at once, busy or idle, from 1 to
    /// [`MOST_INSTANCES`](Self::MOST_INSTANCES).
    pub max_instances: u32,
    /// Bytes of call stack that one call may use, a power of two from [`LEAST_STACK`](Self::LEAST_STACK) to
    /// [`MOST_STACK`](Self::MOST_STACK). The call stack holds return addresses and local variables. Data that a
    /// compiler puts into linear memory instead, such as a Rust guest's arrays, counts as memory.
    pub max_stack_bytes: u32,
}

impl ResourceLimits {
    /// The limits of a kernel whose author sets none: 1 GiB of memory, 10 s, 1024 table elements, 64 instances and 512
    /// KiB of stack.
    pub const DEFAULT: Self = Self {
        max_memory_pages: 16_384,
        max_epoch_ticks: 1000,
        max_table_elements: 1024,
        max_instances: 64,
        max_stack_bytes: 512 << 10,
    };

    /// The largest number of instances that a kernel may request.
    pub const MOST_INSTANCES: u32 = 4096;

    /// The smallest stack that a kernel may request, 64 KiB.
    pub const LEAST_STACK: u32 = 64 << 10;

    /// The largest stack that a kernel may request, 16 MiB.
    pub const MOST_STACK: u32 = 16 << 20;

    /// Returns whether a kernel may request a stack of this size.
    ///
    /// Sizes are powers of two because hosts need an engine for each size, and this keeps their number small.
    pub const fn is_stack_size(bytes: u32) -> bool {
        bytes.is_power_of_two() && bytes >= Self::LEAST_STACK && bytes <= Self::MOST_STACK
    }
}

impl Default for ResourceLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The optional lifecycle exports of a kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// `kernel_init`, called once when an instance is created.
    pub init: bool,
    /// `kernel_cleanup`, called once before an instance is dropped.
    pub cleanup: bool,
}

impl<'a> Signature<'a> {
    /// Checks that calls can be split into ranges of a symbol.
    ///
    /// Every result must have the symbol, and every tensor that has it must have it only as its outermost axis, without
    /// a factor, so that a range of the axis is a range of the tensor's bytes. Only the author can know whether the
    /// kernel also computes each index independently.
    ///
    /// # Errors
    /// The row of the first tensor that breaks these rules; `None` if the symbol is unknown or there is no result.
    pub fn is_split_by(&self, symbol: u8) -> Result<(), Option<usize>> {
        let mut is_written = false;
        for (row, tensor) in self.tensors.iter().enumerate() {
            let is_result = tensor.role.writes() && tensor.role != Role::Scratch;
            let is_outermost = tensor.dims.first() == Some(&Dim::Symbol(symbol));
            let inner = tensor.dims.iter().skip(usize::from(is_outermost));
            if inner.filter_map(Dim::symbol).any(|inner| inner == symbol) || (is_result && !is_outermost) {
                return Err(if usize::from(symbol) < self.symbols.len() { Some(row) } else { None });
            }
            is_written |= is_result;
        }
        if is_written { Ok(()) } else { Err(None) }
    }

    /// Returns the tensors with this role, with their rows in the table.
    pub fn tensors_of(&self, role: Role) -> impl Iterator<Item = (usize, &'a TensorSpec<'a>)> {
        self.tensors.iter().enumerate().filter(move |(_, tensor)| tensor.role == role)
    }
}
