use super::*;

/// Wasmtime's enum is not exhaustive, so a trap that a new version adds must be looked at rather than become `Other`.
#[test]
fn every_trap_that_a_kernel_can_cause_has_a_variant() {
    let traps: Vec<Trap> = (0..=u8::MAX).filter_map(Trap::from_u8).collect();
    let named: Vec<Trap> =
        traps.iter().copied().filter(|trap| !matches!(trap_error(*trap), KernelError::Other { .. })).collect();
    assert_eq!(
        named,
        [
            Trap::StackOverflow,
            Trap::MemoryOutOfBounds,
            Trap::TableOutOfBounds,
            Trap::IndirectCallToNull,
            Trap::BadSignature,
            Trap::IntegerOverflow,
            Trap::IntegerDivisionByZero,
            Trap::BadConversionToInteger,
            Trap::UnreachableCodeReached,
            Trap::Interrupt,
        ]
    );
    assert_eq!(traps.len(), 50, "Wasmtime knows other traps than before: can a kernel cause them?");
}
