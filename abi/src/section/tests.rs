use std::{string::ToString, vec::Vec};

use super::*;
use crate::{
    DType, Expr, KernelSpecBuf, Lifecycle, ParamSpec, ParamType, ParamValue, ResourceLimits, Role, TensorSpec,
};

const SPEC: KernelSpec<'static> = KernelSpec {
    id: "k_f32",
    name: "K",
    description: "does k",
    category: "c",
    family: "k",
    entry_point: "k_forward",
    fallback: "k_reference",
    limits: ResourceLimits {
        max_memory_pages: 1,
        max_epoch_ticks: 2,
        max_table_elements: 3,
        max_instances: 4,
        max_stack_bytes: 5,
    },
    lifecycle: Lifecycle { init: true, cleanup: false },
    forward: Signature {
        symbols: &["n"],
        tensors: &[
            TensorSpec {
                name: "x",
                dtype: DType::F32,
                role: Role::In,
                optional: true,
                dims: &[Dim::Symbol(0), Dim::Fixed(32), Dim::Div(0, 2), Dim::Mul(0, 4)],
                len: Expr(&[]),
            },
            TensorSpec {
                name: "t",
                dtype: DType::Q8_0,
                role: Role::Scratch,
                optional: false,
                dims: &[],
                len: Expr(&[Op::Symbol(0), Op::Const(2), Op::Add]),
            },
        ],
        params: &[
            ParamSpec { name: "eps", ty: ParamType::F32, default: Some(ParamValue::F32(1e-5)) },
            ParamSpec { name: "on", ty: ParamType::Bool, default: None },
        ],
    },
    backward: Some(Signature { symbols: &[], tensors: &[], params: &[] }),
    split: &[0],
};
const WRITER: &str = "crate 1.2.3";
const BYTES: [u8; encoded_len(&SPEC, WRITER)] = encode(&SPEC, WRITER);

/// Compares an encoding with recorded bytes. If this fails, the schema has changed: raise `SCHEMA_VERSION`, then record
/// the new bytes.
#[test]
fn the_schema_is_what_it_was() {
    let hex: std::string::String = BYTES.iter().map(|byte| std::format!("{byte:02x}")).collect();
    assert_eq!((SCHEMA_VERSION, hex.as_str()), (3, include_str!("schema-v3.hex").trim()));
}

#[test]
fn the_version_before_is_read_as_a_kernel_that_cannot_be_split() {
    let hex = include_str!("schema-v2.hex").trim();
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let entries = decode(&bytes).unwrap();
    assert_eq!(entries[0].spec, KernelSpecBuf::from(&KernelSpec { split: &[], ..SPEC }));
    let mut oldest = bytes;
    oldest[8] = 1;
    assert!(matches!(decode(&oldest), Err(SectionError::UnknownSchema { found: 1, known: 3, .. })));
}

#[test]
fn what_is_encoded_is_decoded() {
    let twice: Vec<u8> = BYTES.iter().chain(&BYTES).copied().collect();
    let entries = decode(&twice).unwrap();
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert_eq!((entry.writer.as_str(), entry.bytes), (WRITER, &BYTES[..]));
        assert_eq!(entry.spec, KernelSpecBuf::from(&SPEC));
        entry.spec.with(|spec| assert_eq!(spec, &SPEC));
    }
    assert_eq!(decode(&[]), Ok(Vec::new()));
}

#[test]
fn an_unknown_version_is_named_with_its_writer() {
    let mut newer = BYTES;
    newer[8] = 7;
    assert_eq!(
        decode(&newer).unwrap_err().to_string(),
        "\"crate 1.2.3\" wrote it with schema version 7, but this build reads version 3; use a newer kernelpack"
    );
    let mut older = BYTES;
    older[10] = 0;
    assert_eq!(
        decode(&older).unwrap_err().to_string(),
        "\"crate 1.2.3\" wrote it with ABI version 0, but this build reads version 1; build the crate with the \
         kernelpack-guest that belongs to this kernelpack"
    );
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    for len in 1..BYTES.len() {
        assert!(decode(&BYTES[..len]).is_err(), "cut at {len}");
    }
    for at in 0..BYTES.len() {
        for bit in 0..8 {
            let mut damaged = BYTES;
            damaged[at] ^= 1 << bit;
            // Some flips make another valid spec, which must then be read as that spec.
            if let Ok(entries) = decode(&damaged) {
                assert_ne!((&entries[0].writer[..], &entries[0].spec), (WRITER, &KernelSpecBuf::from(&SPEC)), "{at}");
            }
        }
    }
}
