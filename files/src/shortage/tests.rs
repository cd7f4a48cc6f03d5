use rustix::io::Errno;

use super::*;

#[test]
fn only_what_the_machine_lacks_is_a_shortage() {
    for (errno, lacking) in [
        (Errno::MFILE, true),
        (Errno::NFILE, true),
        (Errno::NOMEM, true),
        (Errno::ACCESS, false),
        (Errno::NOENT, false),
        (Errno::IO, false),
        (Errno::ISDIR, false),
    ] {
        assert_eq!(is_shortage(&errno.into()), lacking, "{errno}");
    }
    assert!(!is_shortage(&io::Error::other("a reason without a number")));
}
