//! An instance of a module in Wasmtime.
#![allow(unsafe_code, reason = "references to parts of a linear memory; the reasons stand at the blocks")]

use std::{io, mem, ops::Range, ptr::NonNull, slice, sync::Arc};

use kernelpack_abi::{BatchStatus, ResourceLimits, exports};
use kernelpack_engine::{
    Backtrace, Export, Instance, Interruption, KernelError, MapTensors, ShadowStack, Stop, with_room,
};
use kernelpack_interruptible::STACK_POINTER;
use kernelpack_memory::SharedPart;
use wasmtime::{Global, InstancePre, Memory, Store, TypedFunc, WasmParams, WasmResults};

use crate::{
    engines::HEADROOM,
    form::Form,
    limits::Limits,
    protection::Protected,
    sandbox::Sandbox,
    trap::{backtrace, kernel_error},
};

/// The time limit for making an instance, far more than any takes: 10 s.
const INSTANTIATION_TICKS: u64 = 1000;

pub(super) struct WasmtimeInstance {
    // Fields drop in order: the watchdog must release the memory before the store unmaps it.
    protected: Protected,
    store: Store<Limits>,
    memory: Memory,
    /// The start of memory; it never moves.
    base: NonNull<u8>,
    /// The first byte that the host must not touch: the end of memory, or the start of the range for mapped tensors. 0
    /// while the guest runs, and permanently if it was stopped by closing its memory or did not return because of a
    /// panic.
    reach: usize,
    reach_between_calls: usize,
    closed: bool,
    form: Arc<Form>,
    max_stack_bytes: u32,
    forward: TypedFunc<u32, i32>,
    info: TypedFunc<u32, i32>,
    batch: Option<TypedFunc<(u32, u32), i64>>,
    backward: Option<TypedFunc<u32, i32>>,
    init: Option<TypedFunc<(u32, u32), i32>>,
    cleanup: Option<TypedFunc<(), i32>>,
    stack: Option<StackPointer>,
}

// SAFETY: `base` is the address of the store's memory, which moves with the store; everything else is `Send` by itself.
unsafe impl Send for WasmtimeInstance {}

impl WasmtimeInstance {
    pub(super) fn new(
        instance: &InstancePre<Limits>,
        limits: ResourceLimits,
        sandbox: &Sandbox,
    ) -> wasmtime::Result<Self> {
        let engine = instance.module().engine();
        let mut store = Store::new(engine, Limits::new(limits));
        store.limiter(|limits| limits);
        // Verified modules have no start function: only Wasmtime's own steps run here, which fill tables and memory and
        // are bounded by the module's size. They also check the epoch, and a tick may come at any time.
        store.set_epoch_deadline(INSTANTIATION_TICKS);
        let instance = instance.instantiate(&mut store)?;
        let memory = instance
            .get_memory(&mut store, exports::MEMORY)
            .ok_or_else(|| wasmtime::Error::msg("the module exports no memory"))?;
        let base =
            NonNull::new(memory.data_ptr(&store)).ok_or_else(|| wasmtime::Error::msg("the memory has no address"))?;
        let watched = sandbox.form.interruption == Interruption::PageProtection;
        let protected = sandbox.protection.protect(base.as_ptr(), watched)?;
        let stack = StackPointer::of(&instance, &mut store);
        let mut lookup = Lookup { instance, store: &mut store };
        Ok(Self {
            forward: lookup.required(exports::FORWARD)?,
            info: lookup.required(exports::INFO)?,
            batch: lookup.optional(exports::FORWARD_BATCH)?,
            backward: lookup.optional(exports::BACKWARD)?,
            init: lookup.optional(exports::INIT)?,
            cleanup: lookup.optional(exports::CLEANUP)?,
            stack,
            base,
            reach: memory.data_size(&store),
            reach_between_calls: 0,
            closed: false,
            form: sandbox.form.clone(),
            memory,
            max_stack_bytes: limits.max_stack_bytes,
            protected,
            store,
        })
    }

    /// Starts the budget of a call.
    #[inline]
    fn arm(&mut self, ticks: u32) {
        self.reach_between_calls = mem::take(&mut self.reach);
        if !self.protected.arm(ticks) && self.form.interruption == Interruption::Epoch {
            // Part of the current epoch has passed, so one more than the budget gives the call at least its whole
            // budget.
            self.store.set_epoch_deadline(u64::from(ticks) + 1);
        }
    }

    /// Ends the budget and returns the result of a call.
    #[inline]
    fn end<R>(&mut self, result: wasmtime::Result<R>) -> Result<R, Stop> {
        // If the watchdog was faster, memory is permanently inaccessible.
        let in_time = self.protected.disarm();
        if in_time {
            self.reach = self.reach_between_calls;
        }
        match (in_time, result) {
            (true, Ok(result)) => Ok(result),
            (in_time, result) => Err(self.stop(in_time, result.err())),
        }
    }

    /// Returns the reason why a call has no result.
    #[cold]
    fn stop(&mut self, in_time: bool, error: Option<wasmtime::Error>) -> Stop {
        let backtrace = error.as_ref().map_or_else(Backtrace::default, |error| backtrace(error, &self.form));
        let error = match error {
            Some(error) if in_time => kernel_error(&error),
            // Whatever trap the call hit, and even if it returned at that moment.
            _ => KernelError::EpochDeadline,
        };
        let beyond = matches!(error, KernelError::MemoryAccessViolation { .. });
        if beyond && self.stack.as_ref().is_some_and(|stack| stack.overflowed(&mut self.store)) {
            return Stop { error: KernelError::StackOverflow, backtrace };
        }
        Stop { error, backtrace }
    }
}

/// The pointer into a guest's second stack, which is in linear memory.
struct StackPointer {
    global: Global,
    stack: ShadowStack,
}

impl StackPointer {
    fn of(instance: &wasmtime::Instance, store: &mut Store<Limits>) -> Option<Self> {
        let global = instance.get_global(&mut *store, STACK_POINTER)?;
        let start = global.get(store).i32()?.cast_unsigned();
        Some(Self { global, stack: ShadowStack::starting_at(start)? })
    }

    fn overflowed(&self, store: &mut Store<Limits>) -> bool {
        self.global.get(store).i32().is_some_and(|pointer| self.stack.overflowed(pointer.cast_unsigned()))
    }
}

/// Typed access to an instance's exports.
struct Lookup<'a> {
    instance: wasmtime::Instance,
    store: &'a mut Store<Limits>,
}

impl Lookup<'_> {
    fn required<P: WasmParams, R: WasmResults>(&mut self, name: &str) -> wasmtime::Result<TypedFunc<P, R>> {
        self.instance.get_typed_func(&mut *self.store, name)
    }

    fn optional<P: WasmParams, R: WasmResults>(&mut self, name: &str) -> wasmtime::Result<Option<TypedFunc<P, R>>> {
        match self.instance.get_func(&mut *self.store, name) {
            None => Ok(None),
            Some(function) => function.typed(&*self.store).map(Some),
        }
    }
}

impl Instance for WasmtimeInstance {
    fn memory_size(&self) -> u64 {
        self.memory.data_size(&self.store) as u64
    }

    fn grow(&mut self, pages: u64) -> bool {
        let grown = self.memory.grow(&mut self.store, pages).is_ok();
        if grown && !self.closed {
            self.reach = self.memory.data_size(&self.store);
        }
        grown
    }

    #[inline]
    fn bytes(&mut self, range: Range<usize>) -> Option<&mut [u8]> {
        if range.start > range.end || range.end > self.reach {
            return None;
        }
        // SAFETY: the range is below `reach`, so inside the linear memory, where nothing is mapped over it. It is
        // accessible, since the watchdog closes a memory only while a call is armed, and `call` sets `reach` to 0 if
        // that may have happened. (An empty range is valid in any case.) The borrow of `self` keeps the guest from
        // running, and no other reference to these bytes exists, as this is the only place where one is made.
        Some(unsafe { slice::from_raw_parts_mut(self.base.as_ptr().add(range.start), range.len()) })
    }

    fn as_mapper(&mut self) -> Option<&mut dyn MapTensors> {
        if self.form.maps { Some(self) } else { None }
    }

    fn has_batch(&self) -> bool {
        self.batch.is_some()
    }

    fn call_batch(&mut self, descriptors: u32, count: u32, ticks: u32) -> Result<BatchStatus, Stop> {
        self.arm(ticks);
        let store = &mut self.store;
        let result = with_room(self.max_stack_bytes as usize + HEADROOM, || {
            self.batch.as_ref().ok_or_else(missing)?.call(store, (descriptors, count))
        });
        self.end(result).map(BatchStatus::from_bits)
    }

    fn call(&mut self, export: Export, address: u32, ticks: u32) -> Result<i32, Stop> {
        self.arm(ticks);
        let store = &mut self.store;
        let room = self.max_stack_bytes as usize + HEADROOM;
        let result = match export {
            Export::Forward => with_room(room, || self.forward.call(store, address)),
            Export::Info => with_room(room, || self.info.call(store, address)),
            Export::Backward => with_room(room, || self.backward.as_ref().ok_or_else(missing)?.call(store, address)),
            Export::Init { size } => {
                with_room(room, || self.init.as_ref().ok_or_else(missing)?.call(store, (address, size)))
            }
            Export::Cleanup => with_room(room, || self.cleanup.as_ref().ok_or_else(missing)?.call(store, ())),
        };
        self.end(result)
    }
}

impl MapTensors for WasmtimeInstance {
    fn close(&mut self, range: Range<usize>) -> io::Result<()> {
        self.reach = self.reach.min(range.start);
        self.closed = true;
        self.protected.close(range)
    }

    fn map(&mut self, at: usize, part: &SharedPart, writable: bool) -> io::Result<()> {
        if !self.closed || at < self.reach {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.protected.map(at, part, writable)
    }
}

#[cold]
fn missing() -> wasmtime::Error {
    wasmtime::Error::msg("the module has no such export")
}
