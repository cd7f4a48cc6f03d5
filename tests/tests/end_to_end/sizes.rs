//! The sizes of the core pack's modules: small devices have little room.

use std::fs;

use kernelpack_tests::pack;

/// For each kernel, the bytes of its module for engines with SIMD and of the one for engines without.
const SIZES: [(&str, [usize; 2]); 13] = [
    ("kv_pack_q4", [40_746, 39_146]),
    ("kv_pack_q8", [40_448, 38_237]),
    ("kv_unpack_q4", [39_486, 37_830]),
    ("kv_unpack_q8", [39_375, 37_603]),
    ("lora_apply_f16", [72_859, 63_816]),
    ("lora_apply_f32", [76_664, 65_986]),
    ("rmsnorm_f16", [44_912, 44_917]),
    ("rmsnorm_f32", [51_138, 46_326]),
    ("rope_f16", [58_830, 55_307]),
    ("rope_f32", [66_061, 59_020]),
    ("rope_q8", [64_374, 58_765]),
    ("swiglu_f16", [46_332, 41_213]),
    ("swiglu_f32", [49_636, 42_843]),
];

/// The percentage by which a module may exceed its size above; other versions of the compiler change it a little.
const MARGIN_PERCENT: usize = 5;

#[test]
fn no_module_of_the_core_pack_has_grown() {
    let manifest = pack::Copy::of(pack::core()).manifest();
    assert_eq!(manifest.kernels.iter().map(|kernel| &*kernel.id).collect::<Vec<_>>(), SIZES.map(|(id, _)| id));
    let mut grown = Vec::new();
    for (kernel, (_, sizes)) in manifest.kernels.iter().zip(SIZES) {
        for (engine, was) in ["wasmtime", "wamr"].into_iter().zip(sizes) {
            let path = kernel.module_for(engine).path;
            let bytes = fs::read(pack::core().join(path)).unwrap().len();
            let most = was + was * MARGIN_PERCENT / 100;
            if bytes > most {
                grown.push(format!("{path} grew from {was} to {bytes} bytes, its limit is {most}"));
            }
        }
    }
    assert!(
        grown.is_empty(),
        "{}\nFormatting usually causes this: a float in a message of one kernel, the text of a panic or an `unwrap` of an \
         error takes about 20 KB in every module. Keep it out of the kernels and of the crates that they use; where a \
         module does more than before, write its new size into SIZES and run `make embedded`",
        grown.join("\n")
    );
}
