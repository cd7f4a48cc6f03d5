use kernelpack_manifest::MANIFEST_FILE;

use super::*;

#[test]
fn a_pack_that_nobody_signed_is_told_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let said = |name| read(folder.path(), name, 64).unwrap_err().to_string();
    assert!(said(SIGNATURE_FILE).contains("the pack is not signed"), "{}", said(SIGNATURE_FILE));
    assert!(said(MANIFEST_FILE).starts_with("cannot read "), "{}", said(MANIFEST_FILE));
}
