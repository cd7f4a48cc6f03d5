//! Instances with a call laid out in their memory.
//!
//! A [`Guest`] is an instance plus an *arena*: memory that the host grew for itself. A call is checked and laid out
//! there once. Later calls that differ only in values copy their tensors in, run the kernel, and copy the results out.

mod batch;
mod calls;
mod check;
mod layout;
mod place;

use kernelpack_abi::{MESSAGE_CAPACITY, ParamSpec, ResourceLimits, Status, TensorArg, TensorData, params};
use kernelpack_engine::{Export, Instance, PAGE, Stop};

use self::{batch::BatchLayout, layout::Layout};
pub(crate) use self::{
    calls::Calls,
    check::{check, check_size},
    layout::Mapped,
    place::Checked,
};
use crate::{BadCall, KernelError, pool::Pooled};

/// The budget for cleaning up instances, whatever the budget of the kernel's calls: 100 ms.
pub(crate) const CLEANUP_TICKS: u32 = 10;

/// The reason why running a guest failed.
pub(crate) enum Failure {
    /// The call was refused; the guest did not run.
    Refused(BadCall),
    /// The machine cannot provide this many more pages; the guest did not run.
    OutOfMemory { pages: u64 },
    /// A tensor cannot be mapped; the guest did not run.
    Unmappable(std::io::Error),
    /// An invariant of the host does not hold; the guest must be dropped.
    Internal(&'static str),
    /// The guest returned a failure and can be used again.
    Returned(KernelError),
    /// The guest was stopped and must be dropped.
    Stopped(Stop),
}

impl Failure {
    /// Returns whether the guest must be dropped.
    pub(crate) fn spoils_guest(&self) -> bool {
        matches!(self, Self::Internal(_) | Self::Stopped(_))
    }
}

/// An instance, and the arena in its memory where calls are laid out.
///
/// The host grows the arena itself, after all memory that the module declares. A guest's allocator only uses memory
/// that it grows, and the part between the guest's data and the end of its initial memory, so the two never overlap.
pub(crate) struct Guest {
    instance: Box<dyn Instance>,
    limits: ResourceLimits,
    heap_base: u32,
    message: u32,
    arena_start: u64,
    arena_end: u64,
    /// The end of memory when the instance was new.
    first_end: u64,
    cleanup: bool,
    /// The last call that was laid out, as it lies in the arena.
    layout: Layout,
    /// The last batch, likewise.
    batch: BatchLayout,
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
        let (layout, batch) = (Layout::default(), BatchLayout::default());
        let (arena_start, arena_end, first_end) = (end, end, end);
        Self { instance, limits, heap_base, message, arena_start, arena_end, first_end, cleanup, layout, batch }
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
        params::write(self.bytes(at, size)?, &[], &scalars);
        self.enter(Export::Init { size }, at, ticks)
    }

    /// Returns whether this call differs from the one that was laid out last only in values, so that it can be
    /// [run](Self::run) without another check.
    #[inline]
    pub(crate) fn fits(&self, export: Export, tensors: &[TensorArg<'_>], scalars: &[u8]) -> bool {
        self.layout.fits(export, tensors, scalars)
    }

    /// Copies in what the kernel reads, runs the call that was laid out last, and copies out what it wrote. Mapped
    /// tensors are not copied.
    ///
    /// The call must [fit](Self::fits). The caller's tensors, except mapped ones, are written only if the kernel
    /// succeeds.
    #[inline]
    pub(crate) fn run(&mut self, tensors: &mut [TensorArg<'_>], scalars: &[u8], ticks: u32) -> Result<(), Failure> {
        self.copy_in(tensors, scalars)?;
        self.run_again(ticks)?;
        for (row, tensor) in tensors.iter_mut().enumerate() {
            if let TensorData::Out(data) | TensorData::InOut(data) = &mut tensor.data {
                self.copy_out(row, data)?;
            }
        }
        Ok(())
    }

    /// Writes these scalars to the call that was laid out last; `false` if their size is wrong or out of reach.
    #[inline]
    pub(crate) fn set_scalars(&mut self, scalars: &[u8]) -> bool {
        match self.instance.bytes(self.layout.scalars()) {
            Some(there) if there.len() == scalars.len() => {
                there.copy_from_slice(scalars);
                true
            }
            _ => false,
        }
    }

    /// Restores the descriptor and tensor table as they were laid out, since a kernel may have overwritten them.
    #[inline]
    pub(crate) fn restore_head(&mut self) -> Result<(), Failure> {
        let (range, head) = self.layout.head();
        let there = self.instance.bytes(range).ok_or_else(unreachable)?;
        // These bytes have rarely changed, and the guest reads them faster if the host has not just written them.
        if there != head {
            there.copy_from_slice(head);
        }
        Ok(())
    }

    /// Copies in what the kernel reads of the call that was laid out last: descriptor, params block and tensors.
    #[inline]
    pub(crate) fn copy_in(&mut self, tensors: &[TensorArg<'_>], scalars: &[u8]) -> Result<(), Failure> {
        self.restore_head()?;
        if !self.set_scalars(scalars) {
            return Err(unreachable());
        }
        for (row, tensor) in tensors.iter().enumerate() {
            let data: &[u8] = match &tensor.data {
                TensorData::In(data) => data,
                TensorData::InOut(data) => data,
                TensorData::Absent | TensorData::Out(_) | TensorData::Scratch => continue,
            };
            if let Some(range) = self.layout.copied(row) {
                self.instance.bytes(range).ok_or_else(unreachable)?.copy_from_slice(data);
            }
        }
        Ok(())
    }

    /// Runs the call that was laid out last on the data that is in its memory.
    #[inline]
    pub(crate) fn run_again(&mut self, ticks: u32) -> Result<(), Failure> {
        self.enter(self.layout.export(), self.layout.descriptor(), ticks)
    }

    /// Copies a tensor of the call that was laid out last to `data`, which must have its size, unless it is mapped.
    #[inline]
    pub(crate) fn copy_out(&mut self, row: usize, data: &mut [u8]) -> Result<(), Failure> {
        if let Some(range) = self.layout.copied(row) {
            data.copy_from_slice(self.instance.bytes(range).ok_or_else(unreachable)?);
        }
        Ok(())
    }

    /// Runs `kernel_info` and returns what it writes.
    pub(crate) fn info(&mut self) -> Result<kernelpack_abi::KernelInfo, Failure> {
        let size = kernelpack_abi::KernelInfo::SIZE;
        let at = self.reserve(u64::from(size))?;
        self.forget();
        self.enter(Export::Info, at, self.limits.max_epoch_ticks)?;
        Ok(kernelpack_abi::KernelInfo::from_bytes(self.bytes(at, size)?).unwrap_or_default())
    }

    /// Returns the text in a range of the guest's memory; `None` if the range is out of bounds.
    pub(crate) fn text(&mut self, offset: u32, size: u32) -> Option<String> {
        Some(String::from_utf8_lossy(self.bytes(offset, size).ok()?).into_owned())
    }

    fn bytes(&mut self, offset: u32, size: u32) -> Result<&mut [u8], Failure> {
        let start = offset as usize;
        self.instance.bytes(start..start + size as usize).ok_or_else(unreachable)
    }

    /// Grows the arena to at least this size and returns its start, a multiple of the page size.
    fn reserve(&mut self, bytes: u64) -> Result<u32, Failure> {
        if self.arena_end - self.arena_start < bytes || self.arena_start == self.arena_end {
            let size = self.instance.memory_size();
            // If the guest has grown memory meanwhile, the arena cannot be extended: start a new one at the end.
            let start = if self.arena_end == size { self.arena_start } else { size };
            let piece = self.instance.piece();
            let pieces = (bytes - (size - start).min(bytes)).div_ceil(piece).max(1);
            let more = pieces * piece;
            let needed = (size + more).div_ceil(PAGE);
            if needed > u64::from(self.limits.max_memory_pages) {
                return Err(self.too_large_pages(needed));
            }
            if !self.instance.grow(pieces) {
                return Err(Failure::OutOfMemory { pages: more.div_ceil(PAGE) });
            }
            self.arena_start = start;
            self.arena_end = self.instance.memory_size();
        }
        // The cast does not truncate, since the arena is not empty and ends at 4 GiB at most.
        Ok(self.arena_start as u32)
    }

    fn too_large(&self, bytes: u64) -> Failure {
        self.too_large_pages(self.arena_start / PAGE + bytes.div_ceil(PAGE))
    }

    fn too_large_pages(&self, needed: u64) -> Failure {
        // The caller fills in the kernel's name and whose limit it is.
        let limit = self.limits.max_memory_pages;
        Failure::Refused(BadCall::TooLarge { kernel: String::new(), needed, limit, of_runtime: false })
    }

    /// Calls an export and translates its status.
    #[inline]
    pub(crate) fn enter(&mut self, export: Export, address: u32, ticks: u32) -> Result<(), Failure> {
        match self.instance.call(export, address, ticks) {
            Ok(0) => Ok(()),
            result => Err(self.failure(result)),
        }
    }

    #[cold]
    fn failure(&mut self, result: Result<i32, Stop>) -> Failure {
        match result {
            Ok(status) => Failure::Returned(KernelError::returned(status, self.message())),
            Err(mut stop) => {
                // A guest that panics leaves a message and then executes `unreachable`.
                if stop.error == KernelError::Unreachable
                    && let Some(message) = self.message()
                {
                    let code = Status::InternalError.code() as u32;
                    stop.error = KernelError::Returned { code, message: Some(message) };
                }
                Failure::Stopped(stop)
            }
        }
    }

    /// Takes the message that the guest left, so that a later call that fails without one does not report it again. The
    /// guest may be hostile, so the length is bounded and invalid UTF-8 is replaced.
    fn message(&mut self) -> Option<String> {
        let at = self.message;
        let len: &mut [u8; 4] = self.bytes(at, 4).ok()?.try_into().ok()?;
        let len = u32::from_le_bytes(std::mem::take(len)).min(MESSAGE_CAPACITY as u32);
        if len == 0 {
            return None;
        }
        Some(String::from_utf8_lossy(self.bytes(at + 4, len).ok()?).into_owned())
    }
}

impl Pooled for Box<Guest> {
    fn bytes(&self) -> u64 {
        self.instance.memory_size()
    }

    fn retire(self) {
        self.clean_up(CLEANUP_TICKS);
    }
}

impl Guest {
    /// Runs `kernel_cleanup`, if there is one and ticks are left, and ignores its status.
    ///
    /// It does not run while a panic unwinds: an engine that panicked for lack of memory would panic again, which would
    /// abort the process.
    pub(crate) fn clean_up(mut self, ticks: u32) {
        if self.cleanup && ticks > 0 && !std::thread::panicking() {
            let _ = self.enter(Export::Cleanup, 0, ticks.min(self.limits.max_epoch_ticks));
        }
    }

    /// Returns whether tensors can be mapped into this guest's memory.
    pub(crate) fn maps(&mut self) -> bool {
        self.instance.as_mapper().is_some()
    }

    /// Returns whether the guest has grown memory itself, which keeps the arena from growing in place.
    pub(crate) fn has_grown_memory(&self) -> bool {
        self.arena_start != self.first_end || self.arena_end != self.instance.memory_size()
    }
}

/// Makes the failure for a laid-out call whose memory the host cannot reach. This should never happen, but is an error
/// rather than a panic.
#[cold]
pub(crate) fn unreachable() -> Failure {
    Failure::Internal("the memory in which a call was laid out is out of reach")
}
