//! A call as the guest sees it: the descriptor is checked before any slice is made.
//!
//! Every `unsafe` block of the guest that touches tensor memory is in this module. The invariant: [`Frame::open`] has
//! either checked the whole call with [`quick::accepts`] or [`judge`], found it equal bit for bit to a call that was
//! checked, or found that it differs only in offsets from a call that `accepts` accepted, and checked the offsets with
//! [`quick::is_placed`]. So each tensor is inside the memory and above the module's own data, is aligned to 16 bytes,
//! and overlaps nothing that is written; its type, role and shape are those that the author declared, and its size is
//! valid for a slice.
//!
//! Without an allocator, an [`Error`] contains its message, and moving it would cost more than all checks. Therefore,
//! methods that take out arguments return a small [`Fault`], and code that explains faults runs only after a refusal.

mod known;
mod memo;
mod memory;
mod parts;
mod quick;
mod series;

use core::{fmt, marker::PhantomData};

use kernelpack_abi::{
    DType, Element, Error, KernelDescriptor, Result, Role, Shape, Signature, Status, SymbolError, Symbols,
    TENSOR_ALIGN, layout,
    params::{Params, ParamsError, TensorEntry},
};

use self::parts::Parts;
pub use self::{memo::Memo, memory::LinearMemory, quick::Signed};

/// The scalars of a call.
#[derive(Clone, Copy, Debug)]
pub struct Scalars<'a>(&'a [u8]);

impl<'a> Scalars<'a> {
    /// Wraps the scalars in these bytes.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl Scalars<'_> {
    #[inline(always)]
    fn read<const N: usize>(self, at: usize) -> Result<[u8; N], Fault> {
        let bytes = at.checked_add(N).and_then(|end| self.0.get(at..end)?.try_into().ok());
        bytes.ok_or(Fault::ScalarsTooShort { size: self.0.len() })
    }

    /// Returns the `f32` at this offset.
    ///
    /// # Errors
    /// The block is too short.
    #[inline(always)]
    pub fn f32(self, at: usize) -> Result<f32, Fault> {
        self.read(at).map(f32::from_le_bytes)
    }

    /// Returns the `u32` at this offset.
    ///
    /// # Errors
    /// The block is too short.
    #[inline(always)]
    pub fn u32(self, at: usize) -> Result<u32, Fault> {
        self.read(at).map(u32::from_le_bytes)
    }

    /// Returns the `i32` at this offset.
    ///
    /// # Errors
    /// The block is too short.
    #[inline(always)]
    pub fn i32(self, at: usize) -> Result<i32, Fault> {
        self.read(at).map(i32::from_le_bytes)
    }

    /// Returns the `bool` at this offset.
    ///
    /// # Errors
    /// The block is too short, or the byte is neither 0 nor 1.
    #[inline(always)]
    pub fn bool(self, at: usize) -> Result<bool, Fault> {
        match self.read(at)? {
            [0] => Ok(false),
            [1] => Ok(true),
            [value] => Err(Fault::NotABool { value }),
        }
    }
}

/// A call whose descriptor, params block and shapes have been checked against the signature `S`.
pub struct Frame<'a, S> {
    memory: LinearMemory,
    entries: &'a [TensorEntry],
    scalars: Scalars<'a>,
    /// A bit for each writable tensor that has been taken.
    taken: u32,
    signed: PhantomData<S>,
}

impl<'a, S: Signed> Frame<'a, S> {
    /// Checks a call completely and opens it.
    ///
    /// # Errors
    /// Something in the descriptor, the params block or the shapes does not fit the signature; the status says whether
    /// an input, an output or the block is at fault.
    ///
    /// # Safety
    /// For `'a`, the memory's bounds are readable and writable and aligned to 16 bytes at offset 0, and nothing but
    /// this frame uses them. The memo was never used with another memory, and its bounds never became narrower.
    #[inline(always)]
    pub unsafe fn open(memory: LinearMemory, descriptor: u32, memo: &mut Memo) -> Result<Self> {
        // SAFETY: the caller guarantees this for the memory. The descriptor and the params block are only ever read:
        // the checks refuse writable tensors that overlap either.
        let params = match unsafe { memo.recall::<S>(memory, descriptor) } {
            Some(params) => params,
            // SAFETY: as above.
            None => unsafe { Self::check(memory, descriptor, memo)? },
        };
        Ok(Self { memory, entries: params.entries, scalars: Scalars(params.scalars), taken: 0, signed: PhantomData })
    }

    /// Checks a call that differs from the remembered one.
    ///
    /// # Safety
    /// As for [`open`](Self::open), and nothing writes to the descriptor and the params block for `'a`.
    #[inline(never)]
    unsafe fn check(memory: LinearMemory, descriptor: u32, memo: &mut Memo) -> Result<Params<'a>> {
        // SAFETY: the caller guarantees this for the memory.
        if let Some(params) = unsafe { memo.series.recall::<S>(memory, descriptor) } {
            return Ok(params);
        }
        // SAFETY: as above.
        let parts = unsafe { Parts::read(memory, descriptor) };
        if let Some(parts) = parts {
            let (bounds, head, entries) = (memory.bounds, parts.head, parts.params.entries);
            let is_alike = series::REMEMBERS
                && memo.has_form::<S>(&parts)
                && quick::is_placed::<S>(bounds, descriptor, head, entries);
            if is_alike || quick::accepts::<S>(bounds, descriptor, head, entries) {
                if !is_alike || memo.is_at(descriptor) {
                    memo.remember::<S>(descriptor, &parts);
                }
                memo.series.remember::<S>(descriptor, &parts);
                return Ok(parts.params);
            }
        }
        // SAFETY: the caller guarantees this for the memory.
        unsafe { judge(memory, descriptor, &S::SIGNATURE) }
    }

    /// Returns the scalars.
    #[inline(always)]
    pub fn scalars(&self) -> Scalars<'a> {
        self.scalars
    }

    /// Returns the value of a shape symbol. Required tensors determine every symbol of a signature.
    #[inline(always)]
    pub fn extent(&self, symbol: u8) -> usize {
        quick::value::<S>(self.entries, symbol).unwrap_or_default() as usize
    }

    /// Returns the elements of an input.
    ///
    /// # Errors
    /// The row is not a present input of this type.
    #[inline(always)]
    pub fn input<T: Element>(&self, row: usize) -> Result<&'a [T], Fault> {
        self.optional_input(row)?.ok_or(Fault::Misuse { row })
    }

    /// Returns the elements of an input, or `None` if the call omits it.
    ///
    /// # Errors
    /// The row is not an input of this type.
    #[inline(always)]
    pub fn optional_input<T: Element>(&self, row: usize) -> Result<Option<&'a [T]>, Fault> {
        let entry = self.row::<T>(row, |role| matches!(role, Role::In)).ok_or(Fault::Misuse { row })?;
        if entry.is_absent() {
            return Ok(None);
        }
        let len = entry.size as usize / size_of::<T>();
        // SAFETY: the checks found the range inside the memory, aligned to 16 bytes (so for `T`, whose alignment is at
        // most that), no longer than a slice may be, and disjoint from everything that `take_mut` returns; it is not
        // absent, so it does not start at a null pointer. Any bytes are a valid `T`.
        Ok(Some(unsafe { core::slice::from_raw_parts(self.memory.at(entry.offset).cast_const().cast(), len) }))
    }

    /// Returns the elements of an output, in-out or scratch tensor, which can be taken once.
    ///
    /// # Errors
    /// The row is not such a tensor of this type, or was taken before.
    #[inline(always)]
    pub fn take_mut<T: Element>(&mut self, row: usize) -> Result<&'a mut [T], Fault> {
        let misuse = Fault::Misuse { row };
        let entry = self.row::<T>(row, Role::writes).ok_or(misuse)?;
        let bit = 1u32.checked_shl(row as u32).ok_or(misuse)?;
        if self.taken & bit != 0 || entry.is_absent() {
            return Err(misuse);
        }
        let mut len = entry.size as usize / size_of::<T>();
        let tensor = &S::SIGNATURE.tensors[row];
        if matches!(tensor.role, Role::Scratch) {
            // A host may provide a larger scratch tensor; the author's slice has the declared length, as in a native
            // call.
            let needed = tensor.len.eval(|symbol| quick::value::<S>(self.entries, symbol));
            len = len.min(needed.map_err(|_| misuse)? as usize);
        }
        self.taken |= bit;
        // SAFETY: as in `optional_input`, and a shorter range is inside too; moreover the range overlaps no other part
        // of the call, and the bit just set makes this the only slice over it.
        Ok(unsafe { core::slice::from_raw_parts_mut(self.memory.at(entry.offset).cast(), len) })
    }

    /// Returns the entry of a row with this type and role in the signature, which the entries of a checked call match.
    #[inline(always)]
    fn row<T: Element>(&self, row: usize, fits: impl Fn(Role) -> bool) -> Option<&'a TensorEntry> {
        let tensor = S::SIGNATURE.tensors.get(row)?;
        let typed = tensor.dtype.code() == T::DTYPE.code() && fits(tensor.role);
        self.entries.get(row).filter(|_| typed)
    }
}

impl<S> fmt::Debug for Frame<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("entries", &self.entries).field("scalars", &self.scalars).finish_non_exhaustive()
    }
}

/// Reads the params block of an initialization, which has no tensors.
///
/// # Errors
/// The range is not a params block inside the memory.
///
/// # Safety
/// As for [`Frame::open`].
#[cfg(target_family = "wasm")]
pub(crate) unsafe fn open_params<'a>(memory: LinearMemory, offset: u32, size: u32) -> Result<Scalars<'a>> {
    // SAFETY: the caller guarantees this for the memory, and the block is only read.
    let bytes = unsafe { memory.bytes(offset, size, TENSOR_ALIGN) };
    let bytes = bytes.ok_or_else(|| outside("the params block", offset, size))?;
    Ok(Scalars(Params::parse(bytes).map_err(params_error)?.scalars))
}

/// Checks a call completely, with errors that explain refusals.
///
/// # Errors
/// As for [`Frame::open`].
///
/// # Safety
/// As for [`Parts::read`].
#[cold]
#[inline(never)]
unsafe fn judge<'a>(memory: LinearMemory, descriptor: u32, signature: &Signature<'_>) -> Result<Params<'a>> {
    // SAFETY: the caller guarantees this for the memory.
    let bytes = unsafe { memory.bytes(descriptor, KernelDescriptor::SIZE, 4) };
    let head = bytes.and_then(KernelDescriptor::in_bytes);
    let head = head.ok_or_else(|| outside("the descriptor", descriptor, KernelDescriptor::SIZE))?;
    let (offset, size) = (head.params_offset, head.params_size);
    // SAFETY: the caller guarantees this for the memory.
    let block = unsafe { memory.bytes(offset, size, TENSOR_ALIGN) };
    let params =
        Params::parse(block.ok_or_else(|| outside("the params block", offset, size))?).map_err(params_error)?;
    layout::check(memory.bounds, descriptor, head, params.entries)
        .map_err(|error| Error::new(Status::InvalidParams, format_args!("{error}")))?;
    agree(signature, params.entries)?;
    Ok(params)
}

/// Checks that the table has the rows that the signature declares, and that their shapes agree.
fn agree(signature: &Signature<'_>, entries: &[TensorEntry]) -> Result<()> {
    let declared = signature.tensors;
    if declared.len() != entries.len() {
        return Err(Error::new(
            Status::InvalidParams,
            format_args!("the tensor table has {} rows, the kernel has {} tensors", entries.len(), declared.len()),
        ));
    }
    for (tensor, entry) in declared.iter().zip(entries) {
        let status = fault_of(tensor.role);
        if entry.role != tensor.role as u8 || entry.dtype != tensor.dtype.code() {
            let found = DType::from_code(entry.dtype).map_or("?", DType::name);
            return Err(Error::new(
                status,
                format_args!("{} \"{}\" is {}, the table says {found}", tensor.role.name(), tensor.name, tensor.dtype),
            ));
        }
        if entry.is_absent() && !tensor.optional {
            return Err(Error::new(status, format_args!("{} \"{}\" is missing", tensor.role.name(), tensor.name)));
        }
    }
    let shapes = declared.iter().zip(entries).map(|(tensor, entry)| (tensor.dims, shape_of(tensor.role, entry)));
    let symbols = Symbols::bind(shapes).map_err(|error| disagreement(signature, error))?;
    for (tensor, entry) in declared.iter().zip(entries).filter(|(tensor, _)| tensor.role == Role::Scratch) {
        let len = symbols.len(tensor.len).map_err(|error| {
            Error::new(Status::InvalidInput, format_args!("scratch tensor \"{}\": {error}", tensor.name))
        })?;
        let given = entry.size / tensor.dtype.size();
        if given < len {
            return Err(Error::new(
                Status::InvalidParams,
                format_args!("scratch tensor \"{}\" needs {len} elements, the table gives {given}", tensor.name),
            ));
        }
    }
    Ok(())
}

/// Returns the shape that determines symbols; `None` for absent and scratch tensors.
fn shape_of(role: Role, entry: &TensorEntry) -> Option<Shape> {
    if role == Role::Scratch || entry.is_absent() { None } else { entry.shape() }
}

/// Returns the error for shapes that disagree, with the status of the tensor at fault.
#[cold]
pub(crate) fn disagreement(signature: &Signature<'_>, error: SymbolError) -> Error {
    let role = signature.tensors.get(error.tensor).map_or(Role::In, |tensor| tensor.role);
    Error::new(fault_of(role), format_args!("{}", error.describe(signature)))
}

fn fault_of(role: Role) -> Status {
    match role {
        Role::In => Status::InvalidInput,
        Role::Out | Role::InOut => Status::InvalidOutput,
        Role::Scratch => Status::InvalidParams,
    }
}

#[cold]
#[inline(never)]
fn outside(what: &str, offset: u32, size: u32) -> Error {
    Error::new(
        Status::InvalidParams,
        format_args!("{what} ({size} bytes at {offset}) lies outside the usable memory or is misaligned"),
    )
}

#[cold]
#[inline(never)]
fn params_error(error: ParamsError) -> Error {
    Error::new(Status::InvalidParams, format_args!("{error}"))
}

/// The reason why an argument cannot be taken out of a call; small, unlike the [`Error`] that it is converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The block has fewer bytes of scalars than the signature needs.
    ScalarsTooShort {
        /// The bytes that it has.
        size: usize,
    },
    /// A byte that should be a bool is neither 0 nor 1.
    NotABool {
        /// The byte.
        value: u8,
    },
    /// A row is used in a way that the signature does not allow, which the code of `#[kernel]` never does.
    Misuse {
        /// The row.
        row: usize,
    },
}

impl From<Fault> for Error {
    #[cold]
    #[inline(never)]
    fn from(fault: Fault) -> Self {
        let invalid = |message: fmt::Arguments<'_>| Self::new(Status::InvalidParams, message);
        match fault {
            Fault::ScalarsTooShort { size } => {
                invalid(format_args!("the params block has {size} bytes of scalars, too few"))
            }
            Fault::NotABool { value } => invalid(format_args!("a bool in the params block is {value}, not 0 or 1")),
            Fault::Misuse { row } => {
                Self::new(Status::InternalError, format_args!("tensor {row} was asked for with another type or role"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
