use proptest::prelude::*;
use std::vec::Vec;

use super::*;
use crate::{Shape, params};

const BOUNDS: Bounds = Bounds { floor: 1024, memory_size: 65536 };

/// Places a descriptor, the params block and then these tensors, as a host would.
fn place(tensors: &[(DType, Role, Shape)]) -> Option<(u32, KernelDescriptor, Vec<TensorEntry>)> {
    let mut cursor = Cursor::new(BOUNDS.floor);
    let head = cursor.place(u64::from(KernelDescriptor::SIZE))?;
    let size = params::block_size(tensors.len(), 0);
    let block = cursor.place(u64::from(size))?;
    let entries: Option<Vec<_>> = tensors
        .iter()
        .map(|(dtype, role, shape)| TensorEntry::new(cursor.place(shape.bytes(*dtype))?, *dtype, *role, *shape))
        .collect();
    let entries = entries?;
    (cursor.end() <= BOUNDS.memory_size).then(|| (head, describe(block, size, &entries), entries))
}

fn tensors() -> impl Strategy<Value = Vec<(DType, Role, Shape)>> {
    let tensor = (0..8usize, 0..4usize, prop::collection::vec(0..12usize, 0..3))
        .prop_map(|(dtype, role, dims)| (DType::ALL[dtype], Role::ALL[role], Shape::new(&dims).unwrap()));
    prop::collection::vec(tensor, 0..6)
}

/// Checks a placement by the rules of `check`, but independently, byte by byte.
fn is_sound(head: u32, descriptor: &KernelDescriptor, entries: &[TensorEntry]) -> bool {
    let mut owners = std::vec![0u8; 65536];
    let mut parts = std::vec![(head, 40, false), (descriptor.params_offset, descriptor.params_size, false)];
    parts.extend(entries.iter().filter(|e| e.offset != 0).map(|e| (e.offset, e.size, e.role != 1)));
    for (offset, size, writes) in parts {
        let end = u64::from(offset) + u64::from(size);
        if offset < BOUNDS.floor || end > BOUNDS.memory_size {
            return false;
        }
        for owner in &mut owners[offset as usize..end as usize] {
            // 1: some part reads the byte; 2: some part writes it.
            match (*owner, writes) {
                (0, _) => *owner = if writes { 2 } else { 1 },
                (1, false) => {}
                _ => return false,
            }
        }
    }
    entries.iter().filter(|e| e.offset != 0).all(|e| {
        let elements: u64 = e.dims[..usize::from(e.rank)].iter().map(|&d| u64::from(d)).product();
        e.offset % 16 == 0
            && DType::from_code(e.dtype).is_some_and(|d| elements * u64::from(d.size()) == u64::from(e.size))
    })
}

proptest! {
    #[test]
    fn what_is_placed_is_accepted(tensors in tensors()) {
        if let Some((head, descriptor, entries)) = place(&tensors) {
            prop_assert_eq!(check(BOUNDS, head, &descriptor, &entries), Ok(()));
            prop_assert!(is_sound(head, &descriptor, &entries));
        }
    }

    #[test]
    fn what_is_accepted_is_sound(
        tensors in tensors(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..10usize, any::<u32>()), 1..4),
        small in any::<bool>(),
    ) {
        let Some((head, mut descriptor, mut entries)) = place(&tensors) else { return Ok(()) };
        prop_assume!(!entries.is_empty());
        for (row, field, value) in damage {
            let value = if small { (value % 4096) & !15 } else { value };
            let entry = row.get(&entries);
            let mut damaged = *entry;
            match field {
                0..4 => damaged.offset = value,
                4 => damaged.size = value,
                5 => damaged.role = value as u8 % 6,
                6 => damaged.dtype = value as u8 % 10,
                7 => damaged.rank = value as u8 % 10,
                8 => damaged.dims[value as usize % 8] = value,
                _ => descriptor.params_offset = value,
            }
            let row = row.index(entries.len());
            entries[row] = damaged;
        }
        // The descriptor is updated too; otherwise the check would always stop at the disagreement.
        let descriptor = describe(descriptor.params_offset, descriptor.params_size, &entries);
        if check(BOUNDS, head, &descriptor, &entries).is_ok() {
            prop_assert!(is_sound(head, &descriptor, &entries));
        }
    }
}

#[test]
fn every_fault_is_named() {
    let shape = Shape::new(&[4]).unwrap();
    let tensors = [(DType::F32, Role::In, shape), (DType::F32, Role::Out, shape)];
    let (head, descriptor, entries) = place(&tensors).unwrap();
    let fault = |change: &dyn Fn(&mut u32, &mut KernelDescriptor, &mut Vec<TensorEntry>)| {
        let (mut head, mut descriptor, mut entries) = (head, descriptor, entries.clone());
        change(&mut head, &mut descriptor, &mut entries);
        check(BOUNDS, head, &descriptor, &entries).unwrap_err()
    };
    let out_of_bounds = |error, expected| matches!(error, LayoutError::OutOfBounds { part, .. } if part == expected);
    assert!(out_of_bounds(fault(&|head, _, _| *head = 1020), Part::Descriptor));
    assert!(out_of_bounds(fault(&|head, _, _| *head = u32::MAX - 3), Part::Descriptor));
    assert!(out_of_bounds(fault(&|_, d, _| d.params_size = MAX_PART_BYTES), Part::Params));
    assert_eq!(fault(&|_, d, _| d.params_size = 1 << 31), LayoutError::TooLarge { part: Part::Params, size: 1 << 31 });
    assert!(out_of_bounds(fault(&|_, _, e| e[1].offset = 16), Part::Tensor(1)));
    assert!(out_of_bounds(fault(&|_, _, e| e[0].offset = 65536 - 8), Part::Tensor(0)));
    assert!(matches!(fault(&|head, _, _| *head += 1), LayoutError::Misaligned { part: Part::Descriptor, .. }));
    assert!(matches!(fault(&|_, _, e| e[0].offset += 4), LayoutError::Misaligned { part: Part::Tensor(0), .. }));
    assert_eq!(
        fault(&|_, _, e| e[1].offset = e[0].offset),
        LayoutError::Overlap { a: Part::Tensor(0), b: Part::Tensor(1) }
    );
    assert_eq!(
        fault(&|_, d, e| e[1].offset = d.params_offset),
        LayoutError::Overlap { a: Part::Params, b: Part::Tensor(1) }
    );
    for damage in [
        &(|e: &mut TensorEntry| e.dtype = 0) as &dyn Fn(&mut TensorEntry),
        &|e| e.role = 9,
        &|e| e.rank = 9,
        &|e| e.size = 8,
        &|e| e.reserved = 1,
        &|e| e.dims[7] = 1,
        &|e| e.offset = 0,
    ] {
        assert_eq!(fault(&|_, _, e| damage(&mut e[0])), LayoutError::Malformed { index: 0 });
    }
    assert_eq!(fault(&|_, d, _| d.output_size = 0), LayoutError::DescriptorDisagrees);
}

#[test]
fn inputs_may_overlap_each_other() {
    let shape = Shape::new(&[4]).unwrap();
    let (head, descriptor, mut entries) = place(&[(DType::F32, Role::In, shape); 2]).unwrap();
    entries[1].offset = entries[0].offset;
    let descriptor = describe(descriptor.params_offset, descriptor.params_size, &entries);
    assert_eq!(check(BOUNDS, head, &descriptor, &entries), Ok(()));
}

#[test]
fn a_cursor_stops_at_four_gibibytes() {
    let mut cursor = Cursor::new(5);
    assert_eq!(cursor.place(3), Some(16));
    assert_eq!(cursor.place(0), Some(32));
    assert_eq!(cursor.place((1 << 32) - 32), Some(32));
    assert_eq!(cursor.place(1), None);
    assert_eq!(cursor.place(u64::MAX), None);
}
