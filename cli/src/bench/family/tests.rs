use super::*;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn shapes_give_each_symbol_its_value() {
    for (id, symbols, shape, values, flops) in [
        ("rmsnorm_f32", &["rows", "dim"][..], &[64, 4096][..], &[64, 4096][..], 4 * 64 * 4096),
        ("kv_unpack_q4", &["rows", "blocks"], &[2, 64], &[2, 2], 128),
        ("rope_f16", &["batch", "seq", "heads", "dim"], &[64, 4096], &[1, 64, 32, 128], 3 * 64 * 4096),
        ("rope_f32", &["batch", "seq", "heads", "dim"], &[2, 6], &[1, 2, 1, 6], 36),
        ("rope_q8", &["batch", "seq", "heads", "blocks"], &[3, 256], &[1, 3, 2, 4], 7 * 3 * 256),
        ("lora_apply_f32", &["rows", "din", "r", "dout"], &[5, 8, 9], &[5, 8, 16, 9], 2 * 5 * 16 * 17),
    ] {
        let symbols = names(symbols);
        let family = Family::of(id, &symbols).unwrap();
        assert_eq!(family.values(&symbols, shape).unwrap(), values, "{id}");
        let valued: Vec<_> = symbols.into_iter().zip(values.iter().copied()).collect();
        assert_eq!(family.flops(&valued), flops, "{id}");
    }
    assert_eq!(Family::of("rmsnorm_f32", &names(&["n"])), None);
    assert_eq!(Family::of("mine", &names(&["rows", "dim"])), None);
}
