use super::*;

#[test]
fn only_a_pointer_outside_of_its_stack_has_overflowed() {
    for other in [0, 1, 4080, 4097, u32::MAX] {
        assert!(ShadowStack::starting_at(other).is_none(), "{other}");
    }
    let stack = ShadowStack::starting_at(4096).unwrap();
    for (pointer, overflowed) in
        [(4096, false), (128, false), (127, true), (0, true), (4097, true), (0u32.wrapping_sub(16), true)]
    {
        assert_eq!(stack.overflowed(pointer), overflowed, "{pointer}");
    }
}
