use super::{super::SharedMemory, *};

fn part() -> SharedPart {
    let memory = SharedMemory::zeros(4096).unwrap();
    SharedPart::of(std::ptr::slice_from_raw_parts(memory.address().as_ptr(), 4096)).unwrap()
}

fn region() -> Region {
    let region = Region::reserve(1 << 20).unwrap();
    region.grow_to(1 << 18).unwrap();
    region
}

#[test]
fn nothing_is_mapped_or_hidden_outside_of_the_linear_memory() {
    let (region, part) = (region(), part());
    for offset in [1 << 18, (1 << 18) - 2048, 1 << 20, usize::MAX, usize::MAX - 4095] {
        assert!(region.map(offset, &part, true).is_err(), "{offset}");
        assert!(region.hide(0..offset.max((1 << 18) + 1)).is_err(), "{offset}");
    }
    assert!(region.grow_to(1 << 40).is_err());
    region.map((1 << 18) - (1 << 16), &part, false).unwrap();
    region.hide(0..1 << 18).unwrap();
}

#[test]
fn a_region_in_which_a_mapping_failed_stays_as_it_is() {
    let (region, part) = (region(), part());
    assert!(region.map(0, &part.at_no_page(), true).is_err());
    assert!(region.map(0, &part, true).is_err() && region.hide(0..65536).is_err());
    assert!(region.grow_to(1 << 19).is_err());
    region.stop().unwrap();
}

#[test]
fn a_large_memory_closes_in_parts_and_does_not_grow_meanwhile() {
    let region = Region::reserve(4 * CLOSED_AT_ONCE).unwrap();
    region.grow_to(2 * CLOSED_AT_ONCE + 4096).unwrap();
    assert!(!region.stop().unwrap());
    assert!(region.grow_to(3 * CLOSED_AT_ONCE).is_err());
    assert!(!region.stop().unwrap());
    assert!(region.stop().unwrap());
    assert!(region.stop().unwrap(), "what is closed can be told again");
}

#[test]
fn a_memory_without_a_byte_is_closed() {
    assert!(Region::reserve(4096).unwrap().stop().unwrap());
}
