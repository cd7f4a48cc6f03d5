//! Writes the packs that `kernelpack-embedded` runs, each with a single kernel of the core pack, with native code if
//! there is a compiler, and the key that signs them. Usage: `device-pack FOLDER`, which writes to `FOLDER/KERNEL` and
//! `FOLDER/release.pub`.

use std::{env, fs, path::PathBuf};

use kernelpack_manifest::AotTarget;
use kernelpack_packer::AotOptions;
use kernelpack_tests::pack::{Copy, add_native_for, copy_folder, core, key};

fn main() {
    let folder = PathBuf::from(env::args().nth(1).expect("usage: device-pack FOLDER"));
    for kernel in ["rmsnorm_f32", "kv_pack_q8"] {
        let pack = Copy::of(core());
        pack.keep(&[kernel]);
        // Native code is compiled from modules without SIMD, which need less memory.
        let targets = vec![AotTarget::X86_64, AotTarget::Aarch64, AotTarget::Thumbv7];
        add_native_for(pack.path(), AotOptions { targets, scalar: true, trusted: vec![key().public()] });
        let target = folder.join(kernel);
        if target.exists() {
            fs::remove_dir_all(&target).expect("the pack there can be removed");
        }
        copy_folder(pack.path(), &target);
    }
    fs::write(folder.join("release.pub"), key().public().to_pem()).expect("the key can be written");
}
