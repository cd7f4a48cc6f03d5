use super::*;

#[test]
fn what_has_no_name_keeps_its_words() {
    let message = "allocate memory failed".to_owned();
    assert_eq!(kernel_error("Exception: allocate memory failed"), KernelError::Other { message });
    assert_eq!(kernel_error("Exception: unreachable"), KernelError::Unreachable);
}
