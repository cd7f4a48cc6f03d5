use super::*;

#[test]
fn a_panic_is_told_in_one_line() {
    let said =
        "noise\n\nthread 'main' (42) panicked at src/lib.rs:1:2:\nelement 3 is -1\nnote: run with `RUST_BACKTRACE=1`\n";
    assert_eq!(last_words(said.as_bytes()), "panicked at src/lib.rs:1:2: element 3 is -1");
    assert_eq!(last_words("fatal\n".as_bytes()), "fatal");
    assert_eq!(last_words(&b""[..]), "");
    assert!(last_words("é".repeat(100_000).as_bytes()).len() <= 300);
}

#[cfg(unix)]
#[test]
fn nothing_outlasts_its_limit() {
    let run = |script: &str, limit| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        run(command, Duration::from_millis(limit)).unwrap()
    };
    assert!(run("while :; do :; done", 100).is_none());
    // The process has ended, but its child, which shares its output, has not.
    let ended = run("sleep 60 & echo here; exit 7", 3000).unwrap();
    assert_eq!((ended.status.code(), ended.said.as_str()), (Some(7), ""));
    let ended = run("echo out; echo 'error: words' >&2", 60_000).unwrap();
    assert!(ended.status.success());
    assert_eq!((&ended.stdout[..], ended.said.as_str()), (&b"out\n"[..], "error: words"));
    let ended = run("head -c 1000000 /dev/zero", 60_000).unwrap();
    assert!(ended.status.success() && ended.stdout.len() as u64 == MOST_OUTPUT, "{:?}", ended.status);
}
