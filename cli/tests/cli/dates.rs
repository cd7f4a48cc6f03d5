//! The date of a pack, which depends on its sources, and not on the build's environment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use kernelpack_manifest::{Manifest, Timestamp};

use crate::fixture::{Ran, built, program};

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Returns a repository in a new folder, with one commit of the files that `fill` writes.
fn repository(folder: &Path, name: &str, seconds: u32, fill: impl FnOnce(&Path)) -> PathBuf {
    let root = folder.join(name);
    fs::create_dir(&root).unwrap();
    fill(&root);
    for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--allow-empty", "--message", "x"]] {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"])
            .args(args)
            .env("GIT_COMMITTER_DATE", format!("{seconds} +0000"))
            .current_dir(&root)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    root
}

/// Returns the build of a crate, not yet started.
fn build(crate_dir: &Path, out: &Path) -> Command {
    let mut build = program();
    build.arg("build").arg(crate_dir).arg("--out").arg(out).args(["--no-health", "--no-scalar", "--key"]);
    build.arg(built().join("release.key")).env_remove("SOURCE_DATE_EPOCH");
    build
}

#[test]
fn an_exported_repository_is_not_the_crates() {
    let folder = tempfile::tempdir().unwrap();
    let crate_dir = Path::new(WORKSPACE).join("examples/my-kernels");
    let other = repository(folder.path(), "other", 1_600_000_000, |_| {});
    let pack = folder.path().join("pack");
    let ran: Ran = build(&crate_dir, &pack)
        .env("GIT_DIR", other.join(".git"))
        .env("GIT_WORK_TREE", &other)
        .env("GIT_INDEX_FILE", other.join(".git/index"))
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "log.showSignature")
        .env("GIT_CONFIG_VALUE_0", "true")
        .output()
        .unwrap()
        .into();
    ran.succeeded();
    let manifest = Manifest::parse(&fs::read(pack.join("kernels.json")).unwrap()).unwrap();
    // Reads the date of this workspace's own commit, if it is a checkout.
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_")) {
        git.env_remove(name);
    }
    let log = git.args(["log", "-1", "--no-show-signature", "--format=%ct"]).current_dir(&crate_dir).output().unwrap();
    let seconds = String::from_utf8(log.stdout).unwrap().trim().parse().unwrap_or(0);
    assert_eq!(manifest.created_at, Timestamp::from_unix(seconds).unwrap().to_string());
    assert_ne!(manifest.created_at, Timestamp::from_unix(1_600_000_000).unwrap().to_string());
}

#[cfg(unix)]
#[test]
fn gits_reason_not_to_tell_a_date_is_told() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let crate_dir = repository(folder.path(), "theirs", 1_700_000_000, |root| {
        // The date is determined before anything is compiled, so the crate need not compile.
        fs::write(root.join("Cargo.toml"), "[package]\nname = \"theirs\"\nedition = \"2024\"\nauthors = [\"A\"]\n")
            .unwrap();
        fs::create_dir(root.join("src")).unwrap();
        fs::write(root.join("src/lib.rs"), "compile_error!(\"the end\");").unwrap();
    });
    // Puts a `git` on the path that treats the checkout as another user's.
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let git = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.is_file()).unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$LC_ALL\" > {}\n\
         export GIT_TEST_ASSUME_DIFFERENT_OWNER=1 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null\n\
         exec {} \"$@\"\n",
        bin.join("locale").display(),
        git.display()
    );
    fs::write(bin.join("git"), script).unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::join_paths([bin.clone()].into_iter().chain(std::env::split_paths(&path))).unwrap();

    let run = |crate_dir: &Path| -> Ran {
        let mut build = build(crate_dir, &folder.path().join("pack"));
        build.env("PATH", &path).env("LC_ALL", "de_DE.UTF-8").env("GIT_CEILING_DIRECTORIES", folder.path());
        build.output().unwrap().into()
    };
    let said = run(&crate_dir).stderr;
    assert!(
        said.contains("created_at is 1970-01-01T00:00:00Z; git says: fatal: detected dubious ownership in"),
        "{said}"
    );
    assert!(said.contains("git config --global --add safe.directory"), "{said}");
    assert_eq!(fs::read_to_string(bin.join("locale")).unwrap(), "C\n");
    // Without a repository, git gives no advice to pass on.
    fs::remove_dir_all(crate_dir.join(".git")).unwrap();
    let said = run(&crate_dir).stderr;
    assert!(
        said.contains("is not in a git commit and SOURCE_DATE_EPOCH is not set") && !said.contains("git says"),
        "{said}"
    );
}
