//! An instance with the part of its memory that the host uses.

use kernelpack_abi::{
    DType, KernelDescriptor, MAX_TENSORS, MESSAGE_CAPACITY, ParamSpec, ResourceLimits, Role, Shape, Signature, Status,
    Symbols, TensorArg, TensorData, TensorSpec,
    layout::{self, Bounds, Cursor, LayoutError},
    params::{self, TensorEntry},
};
use zerocopy::IntoBytes;

use crate::{
    BadCall, KernelError,
    engine::{Export, Instance, PAGE, Stop},
    pool::Pooled,
};

/// What the cleanups of instances may take, however long the kernel's calls may: 100 ms.
pub(crate) const CLEANUP_TICKS: u32 = 10;

/// What [`Guest::run`] can fail with.
pub(crate) enum Failure {
    /// The call was refused; the guest did not run.
    Refused(BadCall),
    /// The machine has no memory for this many more pages; the guest did not run.
    OutOfMemory { pages: u64 },
    /// The guest returned a failure and can be used again.
    Returned(KernelError),
    /// The guest was stopped and must be thrown away.
    Stopped(Stop),
}

/// An instance, and the arena in its memory where calls are laid out.
///
/// The arena is memory that the host itself grew, behind all that the module declared: a guest's allocator, which takes
/// what it grows and what lies between its data and the end of its initial memory, never shares a byte with it.
pub(crate) struct Guest {
    instance: Box<dyn Instance>,
    limits: ResourceLimits,
    heap_base: u32,
    message: u32,
    arena_start: u64,
    arena_end: u64,
    /// The end of memory when the instance was born.
    first_end: u64,
    cleanup: bool,
}

impl Guest {
    pub(crate) fn new(
        instance: Box<dyn Instance>,
        limits: ResourceLimits,
        heap_base: u32,
        message: u32,
        cleanup: bool,
    ) -> Self {
        let end = instance.memory_size();
        Self { instance, limits, heap_base, message, arena_start: end, arena_end: end, first_end: end, cleanup }
    }

    /// Runs `kernel_init` with the default of every scalar.
    pub(crate) fn init(&mut self, params: &[ParamSpec<'_>], ticks: u32) -> Result<(), Failure> {
        let mut scalars = vec![0; params::scalars_size(params) as usize];
        for (index, param) in params.iter().enumerate() {
            if let Some(default) = param.default {
                params::write_scalar(&mut scalars, params, index, default);
            }
        }
        let size = params::block_size(0, scalars.len() as u32);
        let at = self.reserve(u64::from(size))?;
        let block = &mut self.instance.memory()[at as usize..][..size as usize];
        params::write(block, &[], &scalars);
        self.enter(Export::Init { size }, at, ticks)
    }

    /// Lays out a call, copies what the kernel reads, runs it, and copies back what it wrote.
    ///
    /// Every tensor must have been checked against the signature. Nothing is written to the caller's tensors unless
    /// the kernel succeeds.
    pub(crate) fn run(
        &mut self,
        export: Export,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        symbols: &Symbols,
        ticks: u32,
    ) -> Result<(), Failure> {
        let mut entries = [TensorEntry::default(); MAX_TENSORS];
        let entries = &mut entries[..tensors.len().min(MAX_TENSORS)];
        let descriptor_at = self.lay_out(signature, tensors, scalars, symbols, entries)?;
        self.enter(export, descriptor_at, ticks)?;
        for (entry, tensor) in entries.iter().zip(tensors) {
            if let TensorData::Out(data) | TensorData::InOut(data) = &mut tensor.data {
                self.copy_out(entry, data);
            }
        }
        Ok(())
    }

    /// Lays out a call, copies what the kernel reads, and returns where the descriptor is.
    ///
    /// Every tensor must have been checked against the signature; `entries` gets its row of the table. The layout holds
    /// until another call is laid out.
    pub(crate) fn lay_out(
        &mut self,
        signature: &Signature<'_>,
        tensors: &[TensorArg<'_>],
        scalars: &[u8],
        symbols: &Symbols,
        entries: &mut [TensorEntry],
    ) -> Result<u32, Failure> {
        let block_size = params::block_size(entries.len(), scalars.len() as u32);

        // Offsets are found relative to the arena first: where it lies depends on how much is needed.
        let mut cursor = Cursor::new(0);
        let place = |cursor: &mut Cursor, size| cursor.place(size).ok_or_else(|| self.too_large(cursor.end() + size));
        let descriptor_at = place(&mut cursor, u64::from(KernelDescriptor::SIZE))?;
        let block_at = place(&mut cursor, u64::from(block_size))?;
        for ((entry, tensor), spec) in entries.iter_mut().zip(tensors).zip(signature.tensors) {
            let shape = match tensor.data {
                TensorData::Absent => {
                    *entry = TensorEntry::absent(spec.dtype, spec.role);
                    continue;
                }
                TensorData::Scratch => symbols
                    .len(spec.len)
                    .map_err(|error| BadCall::Scratch { name: spec.name.to_owned(), error })
                    .and_then(|len| {
                        Shape::new(&[len as usize]).map_err(|error| BadCall::Shape { message: error.to_string() })
                    })
                    .map_err(Failure::Refused)?,
                _ => tensor.shape,
            };
            let offset = place(&mut cursor, shape.bytes(spec.dtype))?;
            *entry = TensorEntry::new(offset, spec.dtype, spec.role, shape)
                .ok_or_else(|| self.too_large(shape.bytes(spec.dtype)))?;
        }
        let start = self.reserve(cursor.end())?;
        let (descriptor_at, block_at) = (start + descriptor_at, start + block_at);
        for (entry, tensor) in entries.iter_mut().zip(tensors) {
            if !matches!(tensor.data, TensorData::Absent) {
                // Beyond 4 GiB only for an empty tensor at the very end.
                entry.offset = entry.offset.checked_add(start).ok_or_else(|| self.too_large(cursor.end()))?;
            }
        }

        let descriptor = layout::describe(block_at, block_size, entries);
        let bounds = Bounds { floor: self.heap_base, memory_size: self.instance.memory_size() };
        layout::check(bounds, descriptor_at, &descriptor, entries).map_err(|error| match error {
            LayoutError::OutOfBounds { offset, size, .. } => {
                Failure::Returned(KernelError::MemoryAccessViolation { offset, size })
            }
            other => Failure::Refused(BadCall::Layout(other)),
        })?;

        let memory = self.instance.memory();
        memory[range(descriptor_at, KernelDescriptor::SIZE)].copy_from_slice(descriptor.as_bytes());
        params::write(&mut memory[range(block_at, block_size)], entries, scalars);
        for (entry, tensor) in entries.iter().zip(tensors) {
            match &tensor.data {
                TensorData::In(data) => memory[range(entry.offset, entry.size)].copy_from_slice(data),
                TensorData::InOut(data) => memory[range(entry.offset, entry.size)].copy_from_slice(data),
                TensorData::Absent | TensorData::Out(_) | TensorData::Scratch => {}
            }
        }
        Ok(descriptor_at)
    }

    /// Copies a tensor of a call that was laid out in this guest; `data` must have its size.
    pub(crate) fn copy_out(&mut self, entry: &TensorEntry, data: &mut [u8]) {
        data.copy_from_slice(&self.instance.memory()[range(entry.offset, entry.size)]);
    }

    /// What `kernel_info` writes.
    pub(crate) fn info(&mut self) -> Result<kernelpack_abi::KernelInfo, Failure> {
        let size = kernelpack_abi::KernelInfo::SIZE;
        let at = self.reserve(u64::from(size))?;
        self.enter(Export::Info, at, self.limits.max_epoch_ticks)?;
        let bytes = &self.instance.memory()[range(at, size)];
        Ok(kernelpack_abi::KernelInfo::from_bytes(bytes).unwrap_or_default())
    }

    /// The text in a range of the guest's memory, as far as it lies inside.
    pub(crate) fn text(&mut self, offset: u32, size: u32) -> Option<String> {
        let bytes = self.instance.memory().get(range(offset, size))?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Makes the arena at least this large and returns its start, a multiple of the page size.
    fn reserve(&mut self, bytes: u64) -> Result<u32, Failure> {
        if self.arena_end - self.arena_start < bytes || self.arena_start == self.arena_end {
            let size = self.instance.memory_size();
            // Where the guest grew memory itself meanwhile, the arena cannot be extended: start a new one behind.
            let start = if self.arena_end == size { self.arena_start } else { size };
            let pages = (bytes - (size - start).min(bytes)).div_ceil(PAGE).max(1);
            let needed = size / PAGE + pages;
            if needed > u64::from(self.limits.max_memory_pages) {
                return Err(self.too_large_pages(needed));
            }
            if !self.instance.grow(pages) {
                return Err(Failure::OutOfMemory { pages });
            }
            self.arena_start = start;
            self.arena_end = self.instance.memory_size();
        }
        // The arena ends at most at 4 GiB and is not empty.
        Ok(self.arena_start as u32)
    }

    fn too_large(&self, bytes: u64) -> Failure {
        self.too_large_pages(self.arena_start / PAGE + bytes.div_ceil(PAGE))
    }

    fn too_large_pages(&self, needed: u64) -> Failure {
        // The name is filled in by the caller, who knows it.
        Failure::Refused(BadCall::TooLarge { kernel: String::new(), needed, limit: self.limits.max_memory_pages })
    }

    /// Calls an export and translates its status.
    pub(crate) fn enter(&mut self, export: Export, address: u32, ticks: u32) -> Result<(), Failure> {
        let message = self.message as usize;
        // A guest clears its message itself; this is for those that trap before, or lie.
        self.instance.memory()[message..message + 4].fill(0);
        match self.instance.call(export, address, ticks) {
            Ok(0) => Ok(()),
            Ok(status) => Err(Failure::Returned(KernelError::returned(status, self.message()))),
            Err(mut stop) => {
                // A panic leaves its message and then executes `unreachable`.
                if stop.error == KernelError::Unreachable
                    && let Some(message) = self.message()
                {
                    let code = Status::InternalError.code() as u32;
                    stop.error = KernelError::KernelTrap { code, message: Some(message) };
                }
                Err(Failure::Stopped(stop))
            }
        }
    }

    /// The message that the guest left. It may be hostile: lengths are bounded and text is made valid.
    fn message(&mut self) -> Option<String> {
        let at = self.message as usize;
        let memory = self.instance.memory();
        let len = u32::from_le_bytes(memory[at..at + 4].try_into().ok()?);
        let len = (len as usize).min(MESSAGE_CAPACITY);
        (len > 0).then(|| String::from_utf8_lossy(&memory[at + 4..at + 4 + len]).into_owned())
    }
}

impl Pooled for Guest {
    fn bytes(&self) -> u64 {
        self.instance.memory_size()
    }

    fn retire(self) {
        self.clean_up(CLEANUP_TICKS);
    }
}

impl Guest {
    /// Runs `kernel_cleanup`, where there is one and ticks are left. What it returns changes nothing any more.
    pub(crate) fn clean_up(mut self, ticks: u32) {
        if self.cleanup && ticks > 0 {
            let _ = self.enter(Export::Cleanup, 0, ticks.min(self.limits.max_epoch_ticks));
        }
    }

    /// Whether the guest has grown memory itself, so that the arena could not stay where it began.
    pub(crate) fn has_grown_memory(&self) -> bool {
        self.arena_start != self.first_end || self.arena_end != self.instance.memory_size()
    }
}

fn range(offset: u32, size: u32) -> std::ops::Range<usize> {
    offset as usize..offset as usize + size as usize
}

/// Whether the caller's tensors are those of the signature, and what its symbols are.
pub(crate) fn check(signature: &Signature<'_>, tensors: &[TensorArg<'_>]) -> Result<Symbols, BadCall> {
    if let (true, Some(spec)) = (tensors.len() != signature.tensors.len(), signature.tensors.last()) {
        return Err(BadCall::Role { name: spec.name.to_owned(), role: spec.role });
    }
    for (tensor, spec) in tensors.iter().zip(signature.tensors) {
        let name = || spec.name.to_owned();
        let role = spec.role;
        let len = match (&tensor.data, role) {
            (TensorData::Absent, Role::In) if spec.optional => continue,
            (TensorData::Absent, _) => return Err(BadCall::MissingTensor { name: name(), role }),
            (TensorData::Scratch, Role::Scratch) => continue,
            (TensorData::In(data), Role::In) => data.len(),
            (TensorData::Out(data), Role::Out) | (TensorData::InOut(data), Role::InOut) => data.len(),
            _ => return Err(BadCall::Role { name: name(), role }),
        };
        check_size(spec, tensor.dtype, tensor.shape, len)?;
    }
    bind(signature, tensors)
}

/// Whether a tensor has the declared type, and the bytes that its shape needs.
pub(crate) fn check_size(spec: &TensorSpec<'_>, dtype: DType, shape: Shape, len: usize) -> Result<(), BadCall> {
    let (name, role, expected) = (|| spec.name.to_owned(), spec.role, spec.dtype);
    if dtype != expected {
        return Err(BadCall::DType { name: name(), role, expected, actual: dtype });
    }
    match (shape.bytes(dtype), len as u64) {
        (expected, actual) if expected != actual => {
            Err(BadCall::Size { name: name(), role, shape, dtype, expected, actual })
        }
        _ => Ok(()),
    }
}

/// The symbols, from the tensors that take part in the call.
pub(crate) fn bind(signature: &Signature<'_>, tensors: &[TensorArg<'_>]) -> Result<Symbols, BadCall> {
    let shapes = signature.tensors.iter().zip(tensors).map(|(spec, tensor)| {
        let present = !matches!(tensor.data, TensorData::Absent | TensorData::Scratch);
        (spec.dims, present.then_some(tensor.shape))
    });
    Symbols::bind(shapes).map_err(|error| BadCall::Shape { message: error.describe(signature).to_string() })
}
