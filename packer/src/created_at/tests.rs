use super::*;

#[test]
fn what_is_no_number_of_seconds_is_refused() {
    assert_eq!(parse(OsStr::new("1700000000\n")), Timestamp::from_unix(1_700_000_000));
    assert_ne!(parse(OsStr::new("1700000000")), None);
    assert_eq!(parse(OsStr::new("253402300799")), Timestamp::from_unix(253_402_300_799));
    for bad in ["", "-1", "now", "1.5", "253402300800", "99999999999999999999"] {
        assert_eq!(parse(OsStr::new(bad)), None, "{bad}");
    }
}

fn reason(crate_dir: &Path) -> String {
    match commit_date(crate_dir) {
        Err(Undated::Unknown { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_commit_date_is_read_and_its_absence_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().canonicalize().unwrap();
    std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
    let inner = folder.path().join("target/inner");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(inner.join("Cargo.toml"), "").unwrap();
    let git = |args: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"])
            .args(args)
            .env("GIT_COMMITTER_DATE", "1700000000 +0200")
            .env("GIT_CEILING_DIRECTORIES", folder.path())
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "--quiet"]);
    assert_eq!(commit_date(folder.path()), Err(Undated::NoCommit), "a repository without a commit");
    git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
    assert_eq!(commit_date(folder.path()), Err(Undated::Untracked { repository: repository.clone() }));
    git(&["add", "Cargo.toml"]);
    git(&["commit", "--quiet", "--message", "x"]);
    assert_eq!(commit_date(&inner), Err(Undated::Untracked { repository }), "another crate in the checkout");
    assert_eq!(commit_date(folder.path()).ok(), Timestamp::from_unix(1_700_000_000));
    git(&["config", "log.showSignature", "true"]);
    assert_eq!(commit_date(folder.path()).ok(), Timestamp::from_unix(1_700_000_000));
    std::fs::write(folder.path().join(".git/config"), "[broken").unwrap();
    let broken = reason(folder.path());
    assert!(broken.starts_with("fatal: bad config line "), "{broken}");
    let missing = reason(&folder.path().join("missing"));
    assert!(missing.starts_with("git cannot be run: "), "{missing}");
}
