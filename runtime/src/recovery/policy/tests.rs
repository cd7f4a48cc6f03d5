use super::*;

#[test]
fn answers_are_never_run_again_and_deadlines_only_if_asked_for() {
    let returned = |code| KernelError::Returned { code, message: None };
    for policy in [FallbackPolicy::Never, FallbackPolicy::OnTrap, FallbackPolicy::Always] {
        for code in 1..=3 {
            assert!(!policy.covers(&returned(code)), "{policy:?} {code}");
        }
        for error in [returned(4), returned(5), returned(6), returned(99), KernelError::Unreachable] {
            assert_eq!(policy.covers(&error), policy != FallbackPolicy::Never, "{policy:?} {error:?}");
        }
        for error in [KernelError::EpochDeadline, KernelError::StackOverflow] {
            assert_eq!(policy.covers(&error), policy == FallbackPolicy::Always, "{policy:?} {error:?}");
        }
    }
}

#[test]
fn a_program_that_aborts_at_panics_falls_back_on_nothing() {
    let settings = Settings::default();
    let reason = |placement, panics_abort| settings.has_no_use_for_references(placement, panics_abort);
    assert!(reason(Placement::Sandboxed, true).is_some_and(|reason| reason.contains("abort")));
    assert_eq!(reason(Placement::Sandboxed, false), None);
    // Running natively already means that a panic can abort the program, so this is no reason against the reference.
    assert_eq!(reason(Placement::Native, true), None);
    let never = Settings { fallback: FallbackPolicy::Never, ..Settings::default() };
    assert!(never.has_no_use_for_references(Placement::Sandboxed, false).is_some());
}
