//! An instance of a module in WAMR.

use std::{ffi::CStr, ops::Range, sync::Arc};

use kernelpack_abi::{BatchStatus, ResourceLimits};
use kernelpack_engine::{
    Backtrace, Export, Instance, KernelError, Places, ShadowStack, Stop, Watch, Watchdog, with_room,
};

use crate::{
    trap::kernel_error,
    vm::{Brake, Code, Machine, PIECE},
};

/// The functions that the host calls; the constants below are indices into this list.
const FUNCTIONS: [&CStr; 6] =
    [c"kernel_forward", c"kernel_forward_batch", c"kernel_backward", c"kernel_init", c"kernel_info", c"kernel_cleanup"];
const FORWARD: usize = 0;
const BATCH: usize = 1;
const BACKWARD: usize = 2;
const INIT: usize = 3;
const INFO: usize = 4;
const CLEANUP: usize = 5;

/// The stack that WAMR's own functions may need on top of the guest's: the interpreter's loop, and formatting a
/// message.
const HEADROOM: usize = 16 << 10;

pub(crate) struct WamrInstance {
    // Fields drop in order: the watchdog must release the machine before it is freed.
    watch: Option<Watch<Brake>>,
    machine: Machine,
    /// The stack in linear memory, if the module has one.
    shadow_stack: Option<ShadowStack>,
    stack_bytes: u32,
    /// Whether a call was stopped; its results must not be used.
    stopped: bool,
}

impl WamrInstance {
    pub(crate) fn new(
        code: &Arc<Code>,
        limits: ResourceLimits,
        stack_bytes: u32,
        watchdog: Option<&Arc<Watchdog<Brake>>>,
    ) -> Result<Self, String> {
        let stack_bytes = stack_bytes.min(limits.max_stack_bytes);
        let machine = Machine::new(code, stack_bytes, limits.max_memory_pages, &FUNCTIONS)?;
        for required in [FORWARD, INFO] {
            if !machine.has(required) {
                return Err(format!("the module has no function {:?}", FUNCTIONS[required]));
            }
        }
        let watch = watchdog.map(|watchdog| watchdog.watch(machine.brake()));
        // Verified modules have no start function, so the global has its initial value.
        let shadow_stack = machine.variable().and_then(ShadowStack::starting_at);
        Ok(Self { watch, machine, shadow_stack, stack_bytes, stopped: false })
    }

    #[inline]
    fn enter(&mut self, function: usize, arguments: &[u32], ticks: u32) -> Result<[u32; 2], Stop> {
        if self.stopped {
            return Err(stop(KernelError::EpochDeadline));
        }
        if let Some(watch) = &self.watch {
            watch.arm(ticks);
        }
        let machine = &mut self.machine;
        let result = with_room(self.stack_bytes as usize + HEADROOM, || machine.call(function, arguments));
        // A stopped call looks like one that returned.
        if self.watch.as_ref().is_some_and(|watch| !watch.disarm()) {
            self.stopped = true;
            return Err(stop(KernelError::EpochDeadline));
        }
        result.map_err(|exception| stop(self.failure(&exception)))
    }

    /// Returns the reason why a call failed, from WAMR's message.
    #[cold]
    fn failure(&self, exception: &str) -> KernelError {
        let error = kernel_error(exception);
        let pointer = self.shadow_stack.zip(self.machine.variable());
        let overflowed = pointer.is_some_and(|(stack, pointer)| stack.overflowed(pointer));
        if overflowed && matches!(error, KernelError::MemoryAccessViolation { .. }) {
            return KernelError::StackOverflow;
        }
        error
    }
}

#[cold]
fn stop(error: KernelError) -> Stop {
    // WAMR keeps backtraces only in the configuration that needs the most memory.
    Stop { error, backtrace: Backtrace::default() }
}

impl Instance for WamrInstance {
    fn memory_size(&self) -> u64 {
        self.machine.memory_size() as u64
    }

    fn piece(&self) -> u64 {
        PIECE
    }

    fn grow(&mut self, pieces: u64) -> bool {
        self.machine.grow(pieces)
    }

    #[inline]
    fn bytes(&mut self, range: Range<usize>) -> Option<&mut [u8]> {
        if self.stopped { None } else { self.machine.bytes(range) }
    }

    fn places(&self) -> Option<Places> {
        let constant = |name| self.machine.constant(name);
        Some(Places { heap_base: constant(c"__heap_base")?, message: constant(c"kernel_message")? })
    }

    fn has_batch(&self) -> bool {
        self.machine.has(BATCH)
    }

    fn call_batch(&mut self, descriptors: u32, count: u32, ticks: u32) -> Result<BatchStatus, Stop> {
        let [low, high] = self.enter(BATCH, &[descriptors, count], ticks)?;
        Ok(BatchStatus::from_bits((u64::from(high) << 32 | u64::from(low)) as i64))
    }

    #[inline]
    fn call(&mut self, export: Export, address: u32, ticks: u32) -> Result<i32, Stop> {
        let result = match export {
            Export::Forward => self.enter(FORWARD, &[address], ticks),
            Export::Backward => self.enter(BACKWARD, &[address], ticks),
            Export::Init { size } => self.enter(INIT, &[address, size], ticks),
            Export::Info => self.enter(INFO, &[address], ticks),
            Export::Cleanup => self.enter(CLEANUP, &[], ticks),
        };
        result.map(|[status, _]| status as i32)
    }
}

#[cfg(test)]
mod tests;
