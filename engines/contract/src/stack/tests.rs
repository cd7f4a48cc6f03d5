use super::*;

#[test]
fn what_is_outside_of_a_stack_has_no_room_in_it() {
    let stack = 1000..2000;
    assert!(has_room(&stack, 1999, 999) && !has_room(&stack, 1999, 1000));
    assert!(has_room(&stack, 1000, 0) && !has_room(&stack, 1000, 1));
    for elsewhere in [0, 999, 2000, usize::MAX] {
        assert!(!has_room(&stack, elsewhere, 0), "{elsewhere}");
    }
    assert!(!has_room(&Range::default(), 5, 0));
}

#[test]
fn a_thread_knows_its_own_stack() {
    for bytes in [64 << 10, 4 << 20] {
        let thread = std::thread::Builder::new().stack_size(bytes).spawn(move || {
            let own = own_stack().unwrap();
            assert!(own.contains(&here()), "{own:?}");
            assert!(!has_room(&own, here(), 2 * bytes.max(1 << 20)), "{own:?}");
            // A call on a newly mapped stack is outside of the thread's own.
            assert!(stacker::grow(1 << 20, || !own.contains(&here()) || cfg!(not(target_os = "linux"))));
        });
        thread.unwrap().join().unwrap();
    }
}
