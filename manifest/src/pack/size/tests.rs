use super::*;
use crate::{
    module,
    samples::{PLAIN, plain_module, spec_of},
};

#[test]
fn both_limits_are_reached_and_not_passed() {
    let facts = module::check(&plain_module(), &spec_of(&PLAIN)).unwrap();
    let mut size = PackSize::default();
    size.add("p_f32", MAX_PACK_BYTES, &ModuleFacts { code_bytes: MAX_PACK_CODE_BYTES - 1, ..facts.clone() }).unwrap();
    let said = |size: &PackSize, bytes, code_bytes| {
        size.clone()
            .add("p_f32", bytes, &ModuleFacts { code_bytes, ..facts.clone() })
            .map_err(|error| error.to_string())
    };
    assert_eq!(said(&size, 0, 1), Ok(()));
    let more = |what, limit| {
        Err(format!("kernel \"p_f32\" brings the pack to more than {limit} bytes of {what}; split the pack"))
    };
    assert_eq!(said(&size, 1, 0), more("modules", MAX_PACK_BYTES));
    assert_eq!(said(&size, 0, 2), more("code", MAX_PACK_CODE_BYTES));
    assert_eq!(said(&size, usize::MAX, 0), more("modules", MAX_PACK_BYTES));
}

#[test]
fn vectors_have_a_limit_of_their_own() {
    let mut size = PackSize::default();
    size.add_vector(MAX_PACK_HEALTH_BYTES - 1).unwrap();
    size.clone().add_vector(1).unwrap();
    for bytes in [2, usize::MAX] {
        assert_eq!(size.clone().add_vector(bytes), Err(Rejected::VectorsTooLarge));
    }
}
