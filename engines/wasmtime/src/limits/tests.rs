use super::*;

fn limits() -> Limits {
    Limits::new(ResourceLimits { max_memory_pages: 2, max_table_elements: 10, ..ResourceLimits::DEFAULT })
}

#[test]
fn all_tables_share_the_limit() {
    let mut limits = limits();
    assert!(limits.table_growing(0, 4, None).unwrap() && limits.table_growing(0, 5, None).unwrap());
    assert!(!limits.table_growing(4, 6, None).unwrap());
    assert!(limits.table_growing(4, 5, Some(5)).unwrap());
    assert!(!limits.table_growing(5, 6, None).unwrap());
    assert!(!limits.table_growing(0, usize::MAX, None).unwrap());
}

#[test]
fn memory_ends_at_the_smaller_maximum() {
    let mut limits = limits();
    assert!(limits.memory_growing(0, 1 << 17, None).unwrap());
    assert!(!limits.memory_growing(1 << 16, (1 << 17) + 1, None).unwrap());
    assert!(!limits.memory_growing(0, 1 << 17, Some(1 << 16)).unwrap());
}
