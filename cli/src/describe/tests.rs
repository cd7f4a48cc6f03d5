use super::*;

#[test]
fn limits_are_in_everyday_units() {
    let text = |max_memory_pages, max_epoch_ticks, max_stack_bytes| {
        let rest = ResourceLimits { max_table_elements: 7, max_instances: 5, ..ResourceLimits::DEFAULT };
        limits(ResourceLimits { max_memory_pages, max_epoch_ticks, max_stack_bytes, ..rest })
    };
    for (text, memory_stack_time) in [
        (text(16_384, 1000, 524_288), "1 GiB of memory, 512 KiB of stack, 10s per call"),
        (text(16, 15, 65_536), "1 MiB of memory, 64 KiB of stack, 150ms per call"),
        (text(3, 1, 4 << 20), "192 KiB of memory, 4 MiB of stack, 10ms per call"),
    ] {
        assert_eq!(text, format!("{memory_stack_time}, 7 table elements, 5 instances"));
    }
}
