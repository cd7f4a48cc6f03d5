//! Shape symbols: finds the values of symbols such as `rows` and `dim` in a call, and checks that all tensors agree.

use core::fmt;

use crate::{Dim, Expr, ExprError, MAX_SYMBOLS, Shape, Signature};

/// The values of a signature's symbols in one call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Symbols {
    values: [u32; MAX_SYMBOLS],
    bound: u32,
}

impl Symbols {
    /// Finds the value of every symbol from the given shapes, and checks that they all agree.
    ///
    /// Each item is a tensor's declared extents and, if the call has the tensor, its shape. Plain symbols are bound
    /// first, then symbols that appear only as `sym / n` or `sym * n`. Symbols that only absent tensors use stay
    /// unbound.
    ///
    /// # Errors
    /// The first disagreement, in the order of the tensors.
    #[inline]
    pub fn bind<'a, I>(tensors: I) -> Result<Self, SymbolError>
    where
        I: Iterator<Item = (&'a [Dim], Option<Shape>)> + Clone,
    {
        match Self::bind_agreeing(tensors.clone()) {
            Some(symbols) => Ok(symbols),
            None => Self::bind_each(tensors),
        }
    }

    /// Binds the symbols if all shapes agree and every symbol appears as a plain one, which is the fast path of nearly
    /// every call; otherwise returns `None`.
    #[inline]
    fn bind_agreeing<'a, I>(tensors: I) -> Option<Self>
    where
        I: Iterator<Item = (&'a [Dim], Option<Shape>)> + Clone,
    {
        let mut symbols = Self::default();
        let mut is_plain = true;
        for (dims, shape) in tensors.clone() {
            let Some(shape) = shape else { continue };
            if shape.rank() != dims.len() {
                return None;
            }
            for (dim, &actual) in dims.iter().zip(shape.dims()) {
                let agrees = match *dim {
                    Dim::Symbol(symbol) => {
                        let slot = symbols.values.get_mut(usize::from(symbol))?;
                        let bit = 1 << symbol;
                        if symbols.bound & bit == 0 {
                            (*slot, symbols.bound) = (actual, symbols.bound | bit);
                        }
                        *slot == actual
                    }
                    Dim::Fixed(extent) => extent == actual,
                    Dim::Div(..) | Dim::Mul(..) => {
                        is_plain = false;
                        true
                    }
                };
                if !agrees {
                    return None;
                }
            }
        }
        if !is_plain {
            for (dims, shape) in tensors {
                let Some(shape) = shape else { continue };
                for (dim, &actual) in dims.iter().zip(shape.dims()) {
                    if matches!(dim, Dim::Div(..) | Dim::Mul(..)) && symbols.eval(*dim) != Ok(actual) {
                        return None;
                    }
                }
            }
        }
        Some(symbols)
    }

    /// Binds the symbols in the general case, one kind of extent after the other, and reports disagreements.
    #[cold]
    fn bind_each<'a, I>(tensors: I) -> Result<Self, SymbolError>
    where
        I: Iterator<Item = (&'a [Dim], Option<Shape>)> + Clone,
    {
        let mut symbols = Self::default();
        for (tensor, (dims, shape)) in tensors.clone().enumerate() {
            let Some(shape) = shape else { continue };
            if shape.rank() != dims.len() {
                let kind = Disagreement::Rank { expected: dims.len(), actual: shape.rank() };
                return Err(SymbolError { tensor, axis: 0, kind });
            }
            for (dim, &actual) in dims.iter().zip(shape.dims()) {
                if let Dim::Symbol(symbol) = *dim {
                    symbols.bind_if_free(symbol, Some(actual));
                }
            }
        }
        for (dims, shape) in tensors.clone() {
            let Some(shape) = shape else { continue };
            for (dim, &actual) in dims.iter().zip(shape.dims()) {
                match *dim {
                    Dim::Div(symbol, by) => symbols.bind_if_free(symbol, actual.checked_mul(by)),
                    Dim::Mul(symbol, by) if by != 0 && actual % by == 0 => {
                        symbols.bind_if_free(symbol, Some(actual / by));
                    }
                    _ => {}
                }
            }
        }
        for (tensor, (dims, shape)) in tensors.enumerate() {
            let Some(shape) = shape else { continue };
            for (axis, (dim, &actual)) in dims.iter().zip(shape.dims()).enumerate() {
                let expected = symbols.eval(*dim).map_err(|kind| SymbolError { tensor, axis, kind })?;
                if expected != actual {
                    let kind = Disagreement::Extent { dim: *dim, expected, actual };
                    return Err(SymbolError { tensor, axis, kind });
                }
            }
        }
        Ok(symbols)
    }

    fn bind_if_free(&mut self, symbol: u8, value: Option<u32>) {
        if let (None, Some(value), Some(slot)) = (self.value(symbol), value, self.values.get_mut(usize::from(symbol))) {
            *slot = value;
            self.bound |= 1 << symbol;
        }
    }

    /// Returns the value of a symbol, if the shapes of the call determine it.
    pub fn value(&self, symbol: u8) -> Option<u32> {
        let bound = usize::from(symbol) < MAX_SYMBOLS && self.bound & (1 << symbol) != 0;
        bound.then(|| self.values[usize::from(symbol)])
    }

    /// Evaluates a declared extent.
    ///
    /// # Errors
    /// Its symbol is unbound or not a multiple of the divisor, or the result does not fit.
    pub fn eval(&self, dim: Dim) -> Result<u32, Disagreement> {
        let value = |symbol| self.value(symbol).ok_or(Disagreement::Unbound { symbol });
        match dim {
            Dim::Fixed(extent) => Ok(extent),
            Dim::Symbol(symbol) => value(symbol),
            Dim::Div(symbol, by) => match value(symbol)? {
                value if by != 0 && value % by == 0 => Ok(value / by),
                value => Err(Disagreement::NotMultiple { symbol, value, of: by }),
            },
            Dim::Mul(symbol, by) => value(symbol)?.checked_mul(by).ok_or(Disagreement::TooLarge),
        }
    }

    /// Evaluates declared extents to a shape.
    ///
    /// # Errors
    /// The errors of [`eval`](Self::eval), with the axis, or the shape has too many elements.
    pub fn shape(&self, dims: &[Dim]) -> Result<Shape, (usize, Disagreement)> {
        let mut extents = [0usize; crate::MAX_RANK];
        let extents = extents.get_mut(..dims.len()).ok_or((0, Disagreement::TooLarge))?;
        for (axis, (to, dim)) in extents.iter_mut().zip(dims).enumerate() {
            *to = self.eval(*dim).map_err(|kind| (axis, kind))? as usize;
        }
        Shape::new(extents).map_err(|_| (0, Disagreement::TooLarge))
    }

    /// Evaluates the length of a scratch tensor.
    ///
    /// # Errors
    /// The arithmetic fails or uses an unbound symbol.
    pub fn len(&self, len: Expr<'_>) -> Result<u32, ExprError> {
        len.eval(|symbol| self.value(symbol))
    }
}

/// The place where a shape disagrees with the declared one, and the kind of disagreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolError {
    /// The tensor's row in the table.
    pub tensor: usize,
    /// The axis, 0 for the outermost.
    pub axis: usize,
    /// The kind of disagreement.
    pub kind: Disagreement,
}

/// The kind of disagreement between an extent or a rank and the declared one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disagreement {
    /// The tensor has the wrong number of axes.
    Rank {
        /// Axes declared.
        expected: usize,
        /// Axes given.
        actual: usize,
    },
    /// The extent is wrong.
    Extent {
        /// The declared extent.
        dim: Dim,
        /// Its value in this call.
        expected: u32,
        /// The extent given.
        actual: u32,
    },
    /// A symbol is not a multiple of its divisor.
    NotMultiple {
        /// The symbol.
        symbol: u8,
        /// Its value in this call.
        value: u32,
        /// The divisor.
        of: u32,
    },
    /// No tensor of the call determines the symbol.
    Unbound {
        /// The symbol.
        symbol: u8,
    },
    /// The extent, or the number of elements, does not fit 32 bits.
    TooLarge,
}

impl SymbolError {
    /// Describes the error with the names in this signature.
    pub fn describe<'a>(&'a self, signature: &'a Signature<'a>) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| {
            let tensor = signature.tensors.get(self.tensor);
            let (role, name) = tensor.map_or(("tensor", "?"), |tensor| (tensor.role.name(), tensor.name));
            let symbol = |index: u8| signature.symbols.get(usize::from(index)).copied().unwrap_or("?");
            let axis = self.axis;
            match self.kind {
                Disagreement::Rank { expected, actual } => {
                    write!(
                        f,
                        "{role} \"{name}\" needs {expected} axes ({}), not {actual}",
                        fmt::from_fn(|f| { describe_dims(f, tensor.map_or(&[], |tensor| tensor.dims), &symbol) })
                    )
                }
                Disagreement::Extent { dim, expected, actual } => {
                    write!(f, "{role} \"{name}\" needs ")?;
                    match dim {
                        Dim::Fixed(_) => write!(f, "{expected}")?,
                        dim => {
                            describe_dim(f, dim, &symbol)?;
                            write!(f, " = {expected}")?;
                        }
                    }
                    write!(f, " along axis {axis}, not {actual}")
                }
                Disagreement::NotMultiple { symbol: index, value, of } => {
                    let symbol = symbol(index);
                    write!(f, "{role} \"{name}\" needs {symbol} to be a multiple of {of}, not {value}")
                }
                Disagreement::Unbound { symbol: index } => {
                    let symbol = symbol(index);
                    write!(f, "{role} \"{name}\" needs {symbol} along axis {axis}, which no given tensor determines")
                }
                Disagreement::TooLarge => write!(f, "{role} \"{name}\" would have more than {} elements", u32::MAX),
            }
        })
    }
}

fn describe_dims<'a>(f: &mut fmt::Formatter<'_>, dims: &[Dim], symbol: &impl Fn(u8) -> &'a str) -> fmt::Result {
    for (axis, dim) in dims.iter().enumerate() {
        f.write_str(if axis == 0 { "" } else { ", " })?;
        describe_dim(f, *dim, symbol)?;
    }
    Ok(())
}

fn describe_dim<'a>(f: &mut fmt::Formatter<'_>, dim: Dim, symbol: &impl Fn(u8) -> &'a str) -> fmt::Result {
    match dim {
        Dim::Fixed(extent) => write!(f, "{extent}"),
        Dim::Symbol(index) => f.write_str(symbol(index)),
        Dim::Div(index, by) => write!(f, "{}/{by}", symbol(index)),
        Dim::Mul(index, by) => write!(f, "{}*{by}", symbol(index)),
    }
}

#[cfg(test)]
mod tests;
