use std::os::unix::process::ExitStatusExt as _;

use super::*;

#[test]
fn a_process_that_ended_itself_or_was_ended_took_too_much() {
    assert_eq!(fault(ExitStatus::from_raw(0), "", 1), None);
    let refused = fault(ExitStatus::from_raw(1 << 8), "error: no such kernel\n", 1);
    assert_eq!(refused.as_deref(), Some("no such kernel"));
    for signal in [6, 9, 24] {
        let fault = fault(ExitStatus::from_raw(signal), "memory allocation of 64 bytes failed", 1536).unwrap();
        assert!(fault.contains("more than 120 s of processor time or 1536 MiB of memory"), "{fault}");
    }
}
