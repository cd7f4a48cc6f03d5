use kernelpack_manifest::Digest;
use kernelpack_runtime::ResourceError;

use super::*;

#[test]
fn only_what_the_machine_lacked_is_tried_again() {
    let file = || ("pack".into(), io::Error::from(io::ErrorKind::PermissionDenied));
    let (path, error) = file();
    let unreadable = UpgradeError::verifying(FileError::Read { path, error }.into());
    assert!(matches!(unreadable, UpgradeError::Unreadable(_)) && !unreadable.is_passing());
    let (path, error) = file();
    let short = UpgradeError::verifying(ResourceError::Read { path, error }.into());
    assert!(matches!(short, UpgradeError::Failed(_)) && short.is_passing());
    let digest = Digest::of(b"core");
    let (name, version) = ("core".to_owned(), "1.0.0".parse().unwrap());
    let pack = PackId { name, version, content: digest, digest, signed_by: String::new() };
    let (path, error) = file();
    let short = UpgradeError::loading(&pack, ResourceError::Read { path, error }.into());
    assert!(matches!(short, UpgradeError::Compile { .. }) && short.is_passing());
    assert!(!UpgradeError::loading(&pack, Error::Internal("two is three")).is_passing());
    let broken = UpgradeError::verifying(Error::Internal("two is three"));
    assert!(!broken.is_passing());
    assert!(broken.to_string().ends_with("two is three; please report this"), "{broken}");
}
