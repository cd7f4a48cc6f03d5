use super::*;

const PACK: [(&str, &[u8]); 2] = [("k/k_f32.wasm", b"module"), (MANIFEST_FILE, b"{}")];

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_pack_takes_an_empty_place_and_that_of_another_pack() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("deep/pack");
    write_pack(&pack, PACK).unwrap();
    assert_eq!(names(&pack), ["k", MANIFEST_FILE]);

    let vector = ("health/k_f32.safetensors", b"vector".as_slice());
    write_pack(&pack, PACK.into_iter().chain([vector])).unwrap();
    write_pack(&pack, [("new/n.wasm", b"n".as_slice()), (MANIFEST_FILE, b"2"), (SIGNATURE_FILE, b"s")]).unwrap();
    assert_eq!(names(&pack), [MANIFEST_FILE, SIGNATURE_FILE, "new"]);
    assert_eq!(fs::read(pack.join("new/n.wasm")).unwrap(), b"n");
    assert_eq!(names(&folder.path().join("deep")), ["pack"], "something was left behind");

    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    write_pack(&empty, PACK).unwrap();
    assert_eq!(names(&empty), ["k", MANIFEST_FILE]);
}

#[test]
fn what_is_no_pack_is_not_replaced() {
    for (foreign, reason) in [
        (&["notes.txt"][..], "it has \"notes.txt\""),
        (&[MANIFEST_FILE, "notes.txt"], "it has \"notes.txt\""),
        (&[MANIFEST_FILE, "k/k.wasm", "k/notes.txt"], "it has \"k\""),
        (&[MANIFEST_FILE, "k/deeper/k.wasm"], "it has \"k\""),
        (&[MANIFEST_FILE, "k/k.safetensors"], "it has \"k\""),
        (&[MANIFEST_FILE, "health/k.safetensors", "health/k.bin"], "it has \"health\""),
        (&[SIGNATURE_FILE], "it has no kernels.json"),
        (&["k/k.wasm"], "it has no kernels.json"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("pack");
        for file in foreign {
            fs::create_dir_all(pack.join(file).parent().unwrap()).unwrap();
            fs::write(pack.join(file), "precious").unwrap();
        }
        let error = write_pack(&pack, PACK).unwrap_err().to_string();
        assert!(error.contains(&format!("is not a pack ({reason}); nothing was changed")), "{foreign:?}: {error}");
        assert!(foreign.iter().all(|file| fs::read(pack.join(file)).unwrap() == b"precious"), "{foreign:?}");
        assert_eq!(names(folder.path()), ["pack"], "something was left behind");
    }
}

#[test]
fn a_file_or_a_link_at_the_place_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    assert!(write_pack(&file, PACK).unwrap_err().to_string().contains("it is not a folder"));
    #[cfg(unix)]
    {
        let (pack, link) = (folder.path().join("pack"), folder.path().join("link"));
        write_pack(&pack, PACK).unwrap();
        std::os::unix::fs::symlink(&pack, &link).unwrap();
        assert!(write_pack(&link, PACK).unwrap_err().to_string().contains("it is not a folder"));
    }
}

#[test]
fn a_failure_half_way_leaves_the_old_pack_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("pack");
    write_pack(&pack, PACK).unwrap();
    // The second file would have to be inside the first.
    write_pack(&pack, [("k", b"".as_slice()), ("k/k_f32.wasm", b"new")]).unwrap_err();
    assert_eq!(fs::read(pack.join("k/k_f32.wasm")).unwrap(), b"module");
    assert_eq!(names(folder.path()), ["pack"], "something was left behind");
}

#[test]
fn files_are_replaced_together() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "old").unwrap();
    replace_files(folder.path(), &[("a", b"new"), ("b", b"new")]).unwrap();
    assert_eq!(names(folder.path()), ["a", "b"]);
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"new");
}
