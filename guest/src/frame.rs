//! A call, as the guest sees it: the descriptor is checked first, then slices are made.
//!
//! Every `unsafe` block of the guest that touches tensor memory is in this file. The invariant behind them:
//! [`Frame::open`] has passed the whole layout through [`kernelpack_abi::layout::check`], so each tensor lies inside
//! the memory and above the module's own data, is aligned to 16 bytes, and overlaps nothing that is written; and
//! [`agree`] has matched each row with the signature, so its type and role are those that the author declared and its
//! bytes are few enough for a slice.

use kernelpack_abi::{
    DType, Element, Error, KernelDescriptor, Result, Role, Shape, Signature, Status, SymbolError, Symbols, TensorSpec,
    layout::{self, Bounds},
    params::{Params, ParamsError, TensorEntry},
};

/// The linear memory that offsets refer to.
///
/// Inside the sandbox it starts at address 0; a test may put one anywhere.
#[derive(Clone, Copy, Debug)]
pub struct LinearMemory {
    /// The address of offset 0.
    pub base: usize,
    /// The part that calls may use.
    pub bounds: Bounds,
}

impl LinearMemory {
    /// The bytes of a range, or an error if it is not inside the bounds.
    ///
    /// # Safety
    /// The memory's bounds are readable and aligned to 16 bytes at offset 0, and nothing writes to the range for `'a`.
    unsafe fn bytes<'a>(self, what: &str, offset: u32, size: u32, align: u32) -> Result<&'a [u8]> {
        let end = u64::from(offset) + u64::from(size);
        let inside = offset >= self.bounds.floor && end <= self.bounds.memory_size && size <= layout::MAX_PART_BYTES;
        // Offset 0 is no address inside the sandbox, whatever the floor.
        if !inside || offset == 0 || !offset.is_multiple_of(align) {
            return Err(Error::new(
                Status::InvalidParams,
                format_args!("{what} ({size} bytes at {offset}) lies outside the usable memory or is misaligned"),
            ));
        }
        // SAFETY: the range was just checked to lie inside the bounds, which the caller vouches for, not to start at a
        // null pointer and to be no longer than a slice may be. Any byte is a `u8`.
        Ok(unsafe { core::slice::from_raw_parts(self.at(offset).cast_const(), size as usize) })
    }

    fn at(self, offset: u32) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(self.base + offset as usize)
    }
}

/// The scalars of a call.
#[derive(Clone, Copy, Debug)]
pub struct Scalars<'a>(&'a [u8]);

impl<'a> Scalars<'a> {
    /// The scalars in these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl Scalars<'_> {
    fn read<const N: usize>(self, at: usize) -> Result<[u8; N]> {
        at.checked_add(N).and_then(|end| self.0.get(at..end)?.try_into().ok()).ok_or_else(|| {
            let size = self.0.len();
            Error::new(
                Status::InvalidParams,
                format_args!("the params block has {size} bytes of scalars, more are needed"),
            )
        })
    }

    /// The `f32` at this offset.
    ///
    /// # Errors
    /// The block is too short.
    pub fn f32(self, at: usize) -> Result<f32> {
        self.read(at).map(f32::from_le_bytes)
    }

    /// The `u32` at this offset.
    ///
    /// # Errors
    /// The block is too short.
    pub fn u32(self, at: usize) -> Result<u32> {
        self.read(at).map(u32::from_le_bytes)
    }

    /// The `i32` at this offset.
    ///
    /// # Errors
    /// The block is too short.
    pub fn i32(self, at: usize) -> Result<i32> {
        self.read(at).map(i32::from_le_bytes)
    }

    /// The `bool` at this offset.
    ///
    /// # Errors
    /// The block is too short, or the byte is neither 0 nor 1.
    pub fn bool(self, at: usize) -> Result<bool> {
        match self.read(at)? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => Err(Error::new(
                Status::InvalidParams,
                format_args!("a bool in the params block is {other}, not 0 or 1"),
            )),
        }
    }
}

/// A call whose descriptor, params block and shapes have been checked against a signature.
#[derive(Debug)]
pub struct Frame<'a> {
    memory: LinearMemory,
    tensors: &'a [TensorSpec<'a>],
    entries: &'a [TensorEntry],
    scalars: Scalars<'a>,
    symbols: Symbols,
    /// A bit for each writable tensor that was handed out.
    taken: u32,
}

impl<'a> Frame<'a> {
    /// Checks a call completely and opens it.
    ///
    /// # Errors
    /// Anything in the descriptor, the params block or the shapes that does not fit the signature; the status says
    /// whether an input, an output or the block is at fault.
    ///
    /// # Safety
    /// For `'a`, the memory's bounds are readable and writable and aligned to 16 bytes at offset 0, and nothing but
    /// this frame uses them.
    pub unsafe fn open(memory: LinearMemory, descriptor: u32, signature: &Signature<'a>) -> Result<Self> {
        // SAFETY: the caller vouches for the memory. The descriptor and the params block are only ever read: the
        // layout check below refuses writable tensors that overlap either.
        let (head, params) = unsafe {
            let bytes = memory.bytes("the descriptor", descriptor, KernelDescriptor::SIZE, 4)?;
            let head = KernelDescriptor::from_bytes(bytes).unwrap_or_default();
            (
                head,
                memory.bytes("the params block", head.params_offset, head.params_size, kernelpack_abi::TENSOR_ALIGN)?,
            )
        };
        let params = Params::parse(params).map_err(params_error)?;
        layout::check(memory.bounds, descriptor, &head, params.entries)
            .map_err(|error| Error::new(Status::InvalidParams, format_args!("{error}")))?;
        let symbols = agree(signature, params.entries)?;
        Ok(Self {
            memory,
            tensors: signature.tensors,
            entries: params.entries,
            scalars: Scalars(params.scalars),
            symbols,
            taken: 0,
        })
    }

    /// The scalars.
    pub fn scalars(&self) -> Scalars<'a> {
        self.scalars
    }

    /// The value of a shape symbol; every symbol of a signature has one, since required tensors determine it.
    pub fn extent(&self, symbol: u8) -> usize {
        self.symbols.value(symbol).unwrap_or_default() as usize
    }

    /// The elements of an input.
    ///
    /// # Errors
    /// The row is not a present input of this type.
    pub fn input<T: Element>(&self, row: usize) -> Result<&'a [T]> {
        self.optional_input(row)?.ok_or_else(|| misuse(row))
    }

    /// The elements of an input, or `None` if the call leaves it out.
    ///
    /// # Errors
    /// The row is not an input of this type.
    pub fn optional_input<T: Element>(&self, row: usize) -> Result<Option<&'a [T]>> {
        let entry = self.row::<T>(row, |role| role == Role::In)?;
        if entry.is_absent() {
            return Ok(None);
        }
        let len = entry.size as usize / size_of::<T>();
        // SAFETY: the layout check found the range inside the memory, aligned to 16 bytes (so for `T`, whose alignment
        // is at most that) and disjoint from everything that `take_mut` gives out; it is not absent, so it does not
        // start at a null pointer, and `agree` found it no longer than a slice may be. Any bytes are a `T`.
        Ok(Some(unsafe { core::slice::from_raw_parts(self.memory.at(entry.offset).cast_const().cast(), len) }))
    }

    /// The elements of an output, in-out or scratch tensor, once.
    ///
    /// # Errors
    /// The row is not such a tensor of this type, or was taken before.
    pub fn take_mut<T: Element>(&mut self, row: usize) -> Result<&'a mut [T]> {
        let entry = self.row::<T>(row, Role::writes)?;
        let bit = 1u32.checked_shl(row as u32).ok_or_else(|| misuse(row))?;
        if self.taken & bit != 0 || entry.is_absent() {
            return Err(misuse(row));
        }
        self.taken |= bit;
        let mut len = entry.size as usize / size_of::<T>();
        if entry.role == Role::Scratch as u8 {
            // A host may give more; the author gets what the signature says, as in a native call.
            let needed = self.tensors.get(row).and_then(|tensor| self.symbols.len(tensor.len).ok());
            len = len.min(needed.ok_or_else(|| misuse(row))? as usize);
        }
        // SAFETY: as in `optional_input`, and a shorter range is inside too; moreover the range overlaps no other part of the call, and the bit just set
        // makes this the only slice over it.
        Ok(unsafe { core::slice::from_raw_parts_mut(self.memory.at(entry.offset).cast(), len) })
    }

    fn row<T: Element>(&self, row: usize, fits: impl Fn(Role) -> bool) -> Result<&'a TensorEntry> {
        let entry = self.entries.get(row).ok_or_else(|| misuse(row))?;
        let typed = entry.dtype == T::DTYPE.code() && Role::from_code(entry.role).is_some_and(fits);
        if typed { Ok(entry) } else { Err(misuse(row)) }
    }
}

/// Reads the params block of an initialization, which has no tensors.
///
/// # Errors
/// The range is not a params block inside the memory.
///
/// # Safety
/// As [`Frame::open`].
#[cfg(target_family = "wasm")]
pub(crate) unsafe fn open_params<'a>(memory: LinearMemory, offset: u32, size: u32) -> Result<Scalars<'a>> {
    // SAFETY: the caller vouches for the memory, and the block is only read.
    let bytes = unsafe { memory.bytes("the params block", offset, size, kernelpack_abi::TENSOR_ALIGN)? };
    Ok(Scalars(Params::parse(bytes).map_err(params_error)?.scalars))
}

/// Whether the table has the rows that the signature declares, with shapes that agree.
fn agree(signature: &Signature<'_>, entries: &[TensorEntry]) -> Result<Symbols> {
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
    Ok(symbols)
}

/// The shape that takes part in binding symbols: none for absent and scratch tensors.
fn shape_of(role: Role, entry: &TensorEntry) -> Option<Shape> {
    if role == Role::Scratch || entry.is_absent() { None } else { entry.shape() }
}

/// A disagreement of shapes, as the status of the tensor at fault.
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
fn params_error(error: ParamsError) -> Error {
    Error::new(Status::InvalidParams, format_args!("{error}"))
}

/// A row is asked for in a way that the signature does not allow; `#[kernel]` never does.
#[cold]
fn misuse(row: usize) -> Error {
    Error::new(Status::InternalError, format_args!("tensor {row} was asked for with another type or role"))
}

#[cfg(test)]
mod tests;
