use super::*;

#[test]
fn every_kind_of_failure_has_a_counter() {
    let returned = |code| KernelError::Returned { code, message: None };
    let errors = [
        KernelError::EpochDeadline,
        KernelError::MemoryAccessViolation { offset: 0, size: 0 },
        KernelError::IntegerOverflow,
        KernelError::IntegerDivisionByZero,
        KernelError::Unreachable,
        KernelError::StackOverflow,
        KernelError::IndirectCallTypeMismatch,
        returned(4),
        returned(5),
        returned(6),
        returned(7),
        KernelError::Other { message: String::new() },
    ];
    assert_eq!(errors.map(|error| error.kind()), KINDS);
}
