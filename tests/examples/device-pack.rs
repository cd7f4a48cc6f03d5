//! Writes the pack that `kernelpack-embedded` runs, the core pack with two kernels only, and the key that signs it.
//! Usage: `device-pack FOLDER`, where `FOLDER/pack` and `FOLDER/release.pub` come to lie.

use std::{env, fs, path::PathBuf};

use kernelpack_tests::pack::{Copy, copy_folder, core, key};

fn main() {
    let folder = PathBuf::from(env::args().nth(1).expect("usage: device-pack FOLDER"));
    let pack = Copy::of(core());
    pack.keep(&["rmsnorm_f32", "kv_pack_q8"]);
    let target = folder.join("pack");
    if target.exists() {
        fs::remove_dir_all(&target).expect("the pack there can be removed");
    }
    copy_folder(pack.path(), &target);
    fs::write(folder.join("release.pub"), key().public().to_pem()).expect("the key can be written");
}
