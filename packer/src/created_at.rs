//! When a pack was made: a date that belongs to its sources, so that building them again gives the same one.

use std::{env, ffi::OsStr, path::Path, process::Command};

use kernelpack_manifest::Timestamp;

use crate::{BuildError, Event, Warning};

/// The value of `created_at`: `SOURCE_DATE_EPOCH`, else the date of the crate's commit, else the epoch with a warning.
pub(crate) fn created_at(crate_dir: &Path, progress: &mut dyn FnMut(Event)) -> Result<String, BuildError> {
    let time = match env::var_os("SOURCE_DATE_EPOCH") {
        Some(value) => {
            parse(&value).ok_or_else(|| BuildError::SourceDateEpoch { value: value.to_string_lossy().into() })?
        }
        None => commit_date(crate_dir).unwrap_or_else(|| {
            progress(Event::Warning(Warning::NoDate { crate_dir: crate_dir.into() }));
            Timestamp::EPOCH
        }),
    };
    Ok(time.to_string())
}

fn parse(text: &OsStr) -> Option<Timestamp> {
    Timestamp::from_unix(text.to_str()?.trim().parse().ok()?)
}

/// When the commit was made that the crate is checked out at.
///
/// Neither the user's settings nor the environment change the answer: a variable such as `GIT_DIR` would name another
/// repository, and `log.showSignature` would print more than a date.
fn commit_date(crate_dir: &Path) -> Option<Timestamp> {
    let mut git = Command::new("git");
    for (name, _) in env::vars_os() {
        let of_git = name.as_encoded_bytes().starts_with(b"GIT_");
        if of_git && name != "GIT_CEILING_DIRECTORIES" {
            git.env_remove(name);
        }
    }
    let log = git.args(["log", "-1", "--no-show-signature", "--format=%ct"]).current_dir(crate_dir).output().ok()?;
    if log.status.success() { parse(OsStr::new(str::from_utf8(&log.stdout).ok()?)) } else { None }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn the_commit_date_is_read_and_its_absence_noticed() {
        let folder = tempfile::tempdir().unwrap();
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
        assert_eq!(commit_date(folder.path()), None, "a repository without a commit");
        git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
        assert_eq!(commit_date(folder.path()), Timestamp::from_unix(1_700_000_000));
        git(&["config", "log.showSignature", "true"]);
        assert_eq!(commit_date(folder.path()), Timestamp::from_unix(1_700_000_000));
    }
}
