use super::*;

#[test]
#[allow(unsafe_code, reason = "the standard library does not fork")]
fn a_child_is_another_process_even_with_the_id_of_its_parent() {
    let parent = Lineage::current();
    assert!(parent.is_current());
    // SAFETY: the child only reads numbers and ends with `_exit`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let with_our_id = Lineage { id: process::id(), ..parent };
        let own = Lineage { id: process::id(), generation: generation() };
        let told_apart = !parent.is_current() && !with_our_id.is_current() && own.is_current();
        // SAFETY: it ends this process.
        unsafe { libc::_exit(if told_apart { 0 } else { 1 }) }
    }
    let mut status = 0;
    // SAFETY: the status is a local variable.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0);
    assert!(parent.is_current(), "a fork makes no other process of the parent");
}
