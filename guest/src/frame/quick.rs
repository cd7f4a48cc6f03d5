//! The fast check of a call whose signature is known at compile time.
//!
//! [`accepts`] accepts only what the complete check, [`judge`](super::judge), also accepts; the complete check then
//! decides on everything else and explains errors. So this check may omit rare cases, such as empty tensors, and has no
//! errors. Each row and each axis is a function of its own, so that the compiler folds the signature into comparisons
//! with constants, regardless of loop unrolling.

use core::marker::PhantomData;

use kernelpack_abi::{
    Dim, Expr, KernelDescriptor, MAX_SYMBOLS, Pass, Role, Signature, TENSOR_ALIGN, TensorSpec,
    layout::{Bounds, MAX_PART_BYTES},
    params::TensorEntry,
};

/// A pass with a signature that is known at compile time.
pub trait Signed: 'static {
    /// The tensors and scalars that a call takes.
    const SIGNATURE: Signature<'static>;
}

impl<P: Pass + 'static> Signed for P {
    const SIGNATURE: Signature<'static> = P::SIGNATURE;
}

/// The place in a call's shapes that determines the value of a symbol.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    axis: usize,
    /// The extent there, which is the symbol or is computed from it.
    dim: Dim,
}

/// Returns the place of each symbol: in a required tensor, and as a plain symbol if possible.
const fn places(signature: &Signature<'_>) -> [Option<Place>; MAX_SYMBOLS] {
    let mut places = [None; MAX_SYMBOLS];
    let mut kind = 0;
    while kind < 3 {
        let mut row = 0;
        while row < signature.tensors.len() {
            let tensor = &signature.tensors[row];
            let mut axis = 0;
            while axis < tensor.dims.len() && !tensor.optional && !matches!(tensor.role, Role::Scratch) {
                let dim = tensor.dims[axis];
                let symbol = match (kind, dim) {
                    (0, Dim::Symbol(symbol)) => symbol as usize,
                    (1, Dim::Div(symbol, 1..)) | (2, Dim::Mul(symbol, 1..)) => symbol as usize,
                    _ => MAX_SYMBOLS,
                };
                if symbol < MAX_SYMBOLS && places[symbol].is_none() {
                    places[symbol] = Some(Place { row, axis, dim });
                }
                axis += 1;
            }
            row += 1;
        }
        kind += 1;
    }
    places
}

/// Returns the value of a symbol in a call with these rows; `None` if no required tensor determines it.
#[inline(always)]
pub(super) fn value<S: Signed>(entries: &[TensorEntry], symbol: u8) -> Option<u32> {
    let places = const { places(&S::SIGNATURE) };
    let place = (*places.get(usize::from(symbol))?)?;
    let extent = *entries.get(place.row)?.dims.get(place.axis)?;
    match place.dim {
        Dim::Div(_, by) => extent.checked_mul(by),
        Dim::Mul(_, by) => extent.is_multiple_of(by).then(|| extent / by),
        _ => Some(extent),
    }
}

/// Returns the rows of the table that are also in the descriptor: the first two inputs, the first result, the first
/// scratch.
const fn named(signature: &Signature<'_>) -> [Option<usize>; 4] {
    let mut named = [None; 4];
    let mut row = 0;
    while row < signature.tensors.len() {
        let slot = match signature.tensors[row].role {
            Role::In if named[0].is_none() => 0,
            Role::In => 1,
            Role::Out | Role::InOut => 2,
            Role::Scratch => 3,
        };
        if named[slot].is_none() {
            named[slot] = Some(row);
        }
        row += 1;
    }
    named
}

/// Returns a row of the signature, or a meaningless one after the last.
const fn declared(signature: &Signature<'static>, row: usize) -> TensorSpec<'static> {
    if row < signature.tensors.len() {
        return signature.tensors[row];
    }
    let dtype = kernelpack_abi::DType::U8;
    TensorSpec { name: "", dtype, role: Role::In, optional: false, dims: &[], len: Expr(&[]) }
}

/// Returns an extent of a row of the signature; `None` after the last.
const fn extent(signature: &Signature<'static>, row: usize, axis: usize) -> Option<Dim> {
    let dims = declared(signature, row).dims;
    if axis < dims.len() { Some(dims[axis]) } else { None }
}

/// Calls a method for every row below 16, or every axis below 8; each instance is a function of its own.
macro_rules! every {
    (row $call:ident.$method:ident()) => { every!($call.$method() 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) };
    ($call:ident.$method:ident() $($row:literal)*) => { $($call.$method::<$row>())&&* };
    (earlier $call:ident.$method:ident::<$row:ident>($($arg:expr),*)) => {
        every!($call.$method::<$row>($($arg),*) 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    };
    (axis $call:ident.$method:ident::<$row:ident>($($arg:expr),*)) => {
        every!($call.$method::<$row>($($arg),*) 0 1 2 3 4 5 6 7)
    };
    ($call:ident.$method:ident::<$row:ident>($arg:expr) $($index:literal)*) => {
        $($call.$method::<$row, $index>($arg))&*
    };
}

/// Returns whether a call has the signature `S`, and the layout that [`judge`](super::judge) requires.
///
/// The descriptor and the params block must already be known to be inside the bounds.
#[inline(always)]
pub(super) fn accepts<S: Signed>(
    bounds: Bounds,
    descriptor: u32,
    head: &KernelDescriptor,
    entries: &[TensorEntry],
) -> bool {
    let call = Call::<S>::new(bounds, descriptor, head, entries);
    entries.len() == S::SIGNATURE.tensors.len() && call.is_named_by(head) && every!(row call.row())
}

/// Returns whether a call has the layout that [`judge`](super::judge) requires, if it differs only in offsets from an
/// [accepted](accepts) one.
#[inline(always)]
pub(super) fn is_placed<S: Signed>(
    bounds: Bounds,
    descriptor: u32,
    head: &KernelDescriptor,
    entries: &[TensorEntry],
) -> bool {
    let call = Call::<S>::new(bounds, descriptor, head, entries);
    call.is_named_by(head) && every!(row call.is_placed())
}

struct Call<'a, S> {
    bounds: Bounds,
    descriptor: Range,
    params: Range,
    entries: &'a [TensorEntry],
    signed: PhantomData<S>,
}

impl<'a, S: Signed> Call<'a, S> {
    #[inline(always)]
    fn new(bounds: Bounds, descriptor: u32, head: &KernelDescriptor, entries: &'a [TensorEntry]) -> Self {
        let descriptor = Range::new(descriptor, KernelDescriptor::SIZE);
        let params = Range::new(head.params_offset, head.params_size);
        Self { bounds, descriptor, params, entries, signed: PhantomData }
    }

    /// Returns whether the descriptor agrees with the table.
    #[inline(always)]
    fn is_named_by(&self, head: &KernelDescriptor) -> bool {
        let [a, b, output, scratch] = const { named(&S::SIGNATURE) };
        (head.input_a_offset, head.input_a_size) == self.range(a)
            && (head.input_b_offset, head.input_b_size) == self.range(b)
            && (head.output_offset, head.output_size) == self.range(output)
            && (head.scratch_offset, head.scratch_size) == self.range(scratch)
    }

    #[inline(always)]
    fn range(&self, row: Option<usize>) -> (u32, u32) {
        row.and_then(|row| self.entries.get(row)).map_or((0, 0), |entry| (entry.offset, entry.size))
    }

    /// Returns whether a row of the table is the declared one, well-formed and well placed.
    #[inline(always)]
    fn row<const ROW: usize>(&self) -> bool {
        self.is_formed::<ROW>() && self.is_placed::<ROW>()
    }

    /// Returns whether a row is the declared one, regardless of its tensor's position; the offset is only used to see
    /// whether it is absent.
    #[inline(always)]
    fn is_formed<const ROW: usize>(&self) -> bool {
        if const { ROW >= S::SIGNATURE.tensors.len() } {
            return true;
        }
        let tensor = const { declared(&S::SIGNATURE, ROW) };
        let Some(entry) = self.entries.get(ROW) else { return false };
        let [offset, size, code, dims @ .., end] = entry.words();
        let code_of = |rank: usize| u32::from_ne_bytes([tensor.dtype.code(), tensor.role as u8, rank as u8, 0]);
        if tensor.optional && *offset == 0 {
            let nothing = dims.iter().fold(size | end, |all, dim| all | dim);
            return *code == code_of(0) && nothing == 0;
        }

        let is_scratch = matches!(tensor.role, Role::Scratch);
        let rank = if is_scratch { 1 } else { tensor.dims.len() };
        let mut shape = Product { elements: 1, overflow: 0 };
        let agrees = if is_scratch {
            let needed = tensor.len.eval(|symbol| value::<S>(self.entries, symbol));
            shape.multiply(dims[0]);
            needed.is_ok_and(|needed| dims[0] >= needed) && dims[1..].iter().fold(0, |all, dim| all | dim) == 0
        } else {
            every!(axis self.axis::<ROW>((dims, &mut shape)))
        };
        let bytes = u64::from(shape.elements) * u64::from(tensor.dtype.size());
        agrees && *code == code_of(rank) && *end == 0 && shape.overflow == 0 && bytes == u64::from(*size)
    }

    /// Returns whether the tensor of a [well-formed](Self::is_formed) row is absent, or at an allowed position.
    #[inline(always)]
    fn is_placed<const ROW: usize>(&self) -> bool {
        if const { ROW >= S::SIGNATURE.tensors.len() } {
            return true;
        }
        let tensor = const { declared(&S::SIGNATURE, ROW) };
        let Some(TensorEntry { offset, size, .. }) = self.entries.get(ROW) else { return false };
        if tensor.optional && *size == 0 {
            // An empty tensor that is present is left to the complete check.
            return *offset == 0;
        }
        let place = Range::new(*offset, *size);
        let is_inside = *offset != 0
            && *offset >= self.bounds.floor
            && place.end <= self.bounds.memory_size
            && offset.is_multiple_of(TENSOR_ALIGN)
            && *size != 0
            && *size <= MAX_PART_BYTES;
        let is_apart = !tensor.role.writes() || (place.is_apart(self.descriptor) & place.is_apart(self.params));
        is_inside && is_apart && every!(earlier self.is_apart::<ROW>(place))
    }

    /// Returns whether an extent is the declared one.
    #[inline(always)]
    fn axis<const ROW: usize, const AXIS: usize>(&self, (dims, shape): (&[u32; 8], &mut Product)) -> bool {
        let actual = dims[AXIS];
        let Some(dim) = (const { extent(&S::SIGNATURE, ROW, AXIS) }) else { return actual == 0 };
        shape.multiply(actual);
        let value = |symbol| value::<S>(self.entries, symbol).map(u64::from);
        match dim {
            Dim::Fixed(extent) => actual == extent,
            Dim::Symbol(symbol) => value(symbol) == Some(u64::from(actual)),
            Dim::Div(symbol, by) => by != 0 && value(symbol) == Some(u64::from(actual) * u64::from(by)),
            Dim::Mul(symbol, by) => value(symbol).is_some_and(|value| value * u64::from(by) == u64::from(actual)),
        }
    }

    /// Returns whether a range does not conflict with the tensor of an earlier row.
    #[inline(always)]
    fn is_apart<const ROW: usize, const EARLIER: usize>(&self, place: Range) -> bool {
        if const { EARLIER >= ROW } {
            return true;
        }
        let writes =
            const { declared(&S::SIGNATURE, ROW).role.writes() || declared(&S::SIGNATURE, EARLIER).role.writes() };
        let (offset, size) = self.range(Some(EARLIER));
        !writes | place.is_apart(Range::new(offset, size))
    }
}

/// The product of extents.
struct Product {
    elements: u32,
    /// Nonzero if the product, or a partial product, overflowed.
    overflow: u32,
}

impl Product {
    #[inline(always)]
    fn multiply(&mut self, extent: u32) {
        let product = u64::from(self.elements) * u64::from(extent);
        self.elements = product as u32;
        self.overflow |= (product >> 32) as u32;
    }
}

/// A range of linear memory.
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    end: u64,
}

impl Range {
    #[inline(always)]
    fn new(offset: u32, size: u32) -> Self {
        let start = u64::from(offset);
        Self { start, end: start + u64::from(size) }
    }

    /// Returns whether one range ends before the other starts.
    #[inline(always)]
    fn is_apart(self, other: Self) -> bool {
        (self.end <= other.start) | (other.end <= self.start)
    }
}
