//! A call in linear memory, as a hostile host could lay it out: the guest either refuses it, or gets slices that are
//! inside the memory and share no byte with what is written.
//!
//! An input consists of eight bytes (the index of a signature, the heap base divided by 16, the host's change between
//! two calls, and the offset of the descriptor), followed by the memory.
#![no_main]

use std::ops::Range;

use kernelpack_abi::{
    BlockQ4_0, BlockQ8_0, DType, Element, Kernel, KernelDescriptor, Pass, Role,
    layout::{self, Bounds},
    native::NativeKernel,
    params::{self, Params},
};
use kernelpack_fixture_with_std::*;
use kernelpack_guest::{
    __private::{Frame, LinearMemory, Memo},
    f16,
};
use kernelpack_kernels::*;
use libfuzzer_sys::fuzz_target;
use zerocopy::{FromBytes, IntoBytes};

/// The target of a call: a pass, with the check for its signature.
type Attack = fn(&mut [u128], Bounds, u32, Change);

/// The host's change between two calls, so that the second differs from the remembered one: a byte, counted from the
/// descriptor on, gets another value.
type Change = (u8, u8);

macro_rules! kernels {
    ($($id:ident),* $(,)?) => {
        &[$((
            stringify!($id),
            attack::<$id::Kernel>,
            match <$id::Kernel as Kernel>::SPEC.backward {
                Some(_) => Some(attack::<<$id::Kernel as Kernel>::Backward>),
                None => None,
            },
        )),*]
    };
}

/// The kernels that are linked, in the order of their ids, with their passes.
const KERNELS: &[(&str, Attack, Option<Attack>)] = kernels![
    every_kind,
    falls,
    kv_pack_q4,
    kv_pack_q8,
    kv_unpack_q4,
    kv_unpack_q8,
    lora_apply_f16,
    lora_apply_f32,
    panics,
    refuses,
    remembers,
    rmsnorm_f16,
    rmsnorm_f32,
    rope_cached,
    rope_f16,
    rope_f32,
    rope_q8,
    sorts,
    swiglu_f16,
    swiglu_f32,
];

/// Returns the passes of all kernels; the registry shows if one is missing above.
fn attacks() -> Vec<Attack> {
    let mut linked: Vec<_> = NativeKernel::all().map(|kernel| kernel.spec.id).collect();
    linked.sort_unstable();
    assert!(linked.iter().eq(KERNELS.iter().map(|(id, ..)| id)), "the kernels linked are {linked:?}: list them");
    KERNELS.iter().flat_map(|(_, forward, backward)| [Some(*forward), *backward]).flatten().collect()
}

fuzz_target!(|input: &[u8]| {
    let Some((head, content)) = input.split_at_checked(8) else { return };
    let attacks = attacks();
    let attack = attacks[usize::from(head[0]) % attacks.len()];
    let descriptor = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);

    // The allocation ends where the linear memory ends, so that AddressSanitizer detects accesses beyond it.
    let mut memory = vec![0u128; content.len().div_ceil(16)];
    memory.as_mut_bytes()[..content.len()].copy_from_slice(content);
    let bounds = Bounds { floor: u32::from(head[1]) * 16, memory_size: memory.as_bytes().len() as u64 };

    check_block(memory.as_bytes());
    check_layout(memory.as_bytes(), bounds, descriptor);
    attack(&mut memory, bounds, descriptor, (head[2], head[3]));
});

/// Opens the call as one of this pass twice, as a single one and then in a batch, and once more after a change, and
/// uses the results. The calls remembered before must not affect the results.
fn attack<P: Pass>(memory: &mut [u128], bounds: Bounds, descriptor: u32, (at, value): Change) {
    let mut memo = Memo::new();
    open::<P>(memory, bounds, descriptor, &mut memo);
    for turn in 0..2 {
        memo.set_turn(Some(turn));
        open::<P>(memory, bounds, descriptor, &mut memo);
    }
    if let Some(byte) = memory.as_mut_bytes().get_mut(descriptor.saturating_add(at.into()) as usize) {
        *byte ^= value;
    }
    for turn in [Some(1), Some(0), None] {
        memo.set_turn(turn);
        open::<P>(memory, bounds, descriptor, &mut memo);
    }
}

/// Opens the call, and uses the result.
fn open<P: Pass>(memory: &mut [u128], bounds: Bounds, descriptor: u32, memo: &mut Memo) {
    let before = memory.to_vec();
    let base = memory.as_mut_ptr().expose_provenance();
    let memory_of_call = LinearMemory { base, bounds };
    // SAFETY: the memory is as large as its bounds say, starts at a multiple of 16, and is not used otherwise until the
    // frame is dropped. This memo is for this call alone.
    let alone = unsafe { Frame::<P>::open(memory_of_call, descriptor, &mut Memo::new()) }.is_ok();
    // SAFETY: as above; the memo is used only with this memory, whose bounds do not change.
    let opened = unsafe { Frame::<P>::open(memory_of_call, descriptor, memo) };
    assert_eq!(opened.is_ok(), alone, "what is remembered changes the verdict");
    let written = match opened {
        Ok(frame) => use_all(frame, base, bounds),
        Err(error) => {
            assert!(error.status().code() != 0 && !error.message().is_empty());
            Vec::new()
        }
    };
    for (at, (before, after)) in before.as_bytes().iter().zip(memory.as_bytes()).enumerate() {
        assert!(before == after || written.iter().any(|range| range.contains(&at)), "byte {at} was written");
    }
}

/// Checks that a readable block is written back as the same bytes.
fn check_block(bytes: &[u8]) {
    if let Ok(params) = Params::parse(bytes) {
        let mut again = vec![0; params::block_size(params.entries.len(), params.scalars.len() as u32) as usize];
        assert!(params::write(&mut again, params.entries, params.scalars));
        assert!(bytes.starts_with(&again));
    }
}

/// Checks the guarantees of an accepted layout, which do not depend on the kernel.
fn check_layout(memory: &[u8], bounds: Bounds, descriptor: u32) {
    let at = descriptor as usize;
    let head = memory.get(at..).and_then(|rest| KernelDescriptor::read_from_prefix(rest).ok());
    let Some((head, _)) = head else { return };
    let block = head.params_offset as usize;
    let Some(Ok(block)) = memory.get(block..).map(Params::parse) else { return };
    if let Err(error) = layout::check(bounds, descriptor, &head, block.entries) {
        assert!(!error.to_string().is_empty());
    }
}

/// Takes every slice of a call, writes what may be written, and returns those ranges.
fn use_all<P: Pass>(mut frame: Frame<'_, P>, base: usize, bounds: Bounds) -> Vec<Range<usize>> {
    let signature = P::SIGNATURE;
    let mut read = Vec::new();
    let mut written: Vec<Range<usize>> = Vec::new();
    for (row, tensor) in signature.tensors.iter().enumerate() {
        let range = match tensor.dtype {
            DType::F32 => take::<f32, _>(&mut frame, row, tensor.role),
            DType::F16 => take::<f16, _>(&mut frame, row, tensor.role),
            DType::I8 => take::<i8, _>(&mut frame, row, tensor.role),
            DType::U8 => take::<u8, _>(&mut frame, row, tensor.role),
            DType::I32 => take::<i32, _>(&mut frame, row, tensor.role),
            DType::U32 => take::<u32, _>(&mut frame, row, tensor.role),
            DType::Q8_0 => take::<BlockQ8_0, _>(&mut frame, row, tensor.role),
            DType::Q4_0 => take::<BlockQ4_0, _>(&mut frame, row, tensor.role),
        };
        let Some(range) = range else {
            assert!(tensor.optional, "only what is optional can be absent");
            continue;
        };
        let range = range.start - base..range.end - base;
        assert!(range.start >= bounds.floor as usize && range.end as u64 <= bounds.memory_size, "{range:?}");
        if tensor.role.writes() { &mut written } else { &mut read }.push(range);
    }
    for (index, range) in written.iter().enumerate() {
        let share = |other: &&Range<usize>| range.start < other.end && other.start < range.end;
        assert_eq!(written[index + 1..].iter().chain(&read).find(share), None, "{range:?} is written");
    }
    for (index, param) in signature.params.iter().enumerate() {
        let at = params::scalar_offset(signature.params, index) as usize;
        let scalars = frame.scalars();
        let _ = match param.ty.size() {
            1 => scalars.bool(at).map(u32::from),
            _ => scalars.u32(at),
        };
    }
    written
}

fn take<T: Element, P: Pass>(frame: &mut Frame<'_, P>, row: usize, role: Role) -> Option<Range<usize>> {
    let bytes = if role.writes() {
        let slice = frame.take_mut::<T>(row).expect("the row is what the signature says");
        assert!(frame.take_mut::<T>(row).is_err(), "a second slice over the same bytes");
        slice.as_mut_bytes().fill(0xA5);
        slice.as_bytes()
    } else {
        let slice = frame.optional_input::<T>(row).expect("the row is what the signature says")?;
        // Reads every byte.
        assert!(slice.as_bytes().iter().map(|&byte| u64::from(byte)).sum::<u64>() <= 255 * size_of_val(slice) as u64);
        slice.as_bytes()
    };
    let start = bytes.as_ptr().addr();
    assert!(start.is_multiple_of(16));
    Some(start..start + bytes.len())
}
