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
        None => commit_date(crate_dir).unwrap_or_else(|reason| {
            progress(Event::Warning(Warning::NoDate { crate_dir: crate_dir.into(), reason }));
            Timestamp::EPOCH
        }),
    };
    Ok(time.to_string())
}

fn parse(text: &OsStr) -> Option<Timestamp> {
    Timestamp::from_unix(text.to_str()?.trim().parse().ok()?)
}

/// What git says, in the language that [`commit_date`] asks for, of a folder that is in no commit. A repository that it
/// cannot find although there is a link to it has other words behind "repository".
const NO_COMMIT: [&str; 2] = ["not a git repository (or any", "does not have any commits yet"];
/// The most characters of what git says.
const MAX_REASON: usize = 1000;

/// When the commit was made that the crate is checked out at; or git's reason not to say so, which is none where there is
/// no commit.
///
/// Neither the user's settings nor the environment change the answer: a variable such as `GIT_DIR` would name another
/// repository, and `log.showSignature` would print more than a date.
fn commit_date(crate_dir: &Path) -> Result<Timestamp, Option<String>> {
    let mut git = Command::new("git");
    for (name, _) in env::vars_os() {
        let of_git = name.as_encoded_bytes().starts_with(b"GIT_");
        if of_git && name != "GIT_CEILING_DIRECTORIES" {
            git.env_remove(name);
        }
    }
    git.env("LC_ALL", "C").args(["log", "-1", "--no-show-signature", "--format=%ct"]).current_dir(crate_dir);
    let log = git.output().map_err(|error| Some(format!("git cannot be run: {error}")))?;
    if !log.status.success() {
        let said = String::from_utf8_lossy(&log.stderr);
        if NO_COMMIT.iter().any(|words| said.contains(words)) {
            return Err(None);
        }
        let words: Vec<_> = said.split_whitespace().collect();
        let reason: String = words.join(" ").chars().take(MAX_REASON).collect();
        return Err(Some(if reason.is_empty() { format!("git failed with {}", log.status) } else { reason }));
    }
    let said = String::from_utf8_lossy(&log.stdout);
    parse(OsStr::new(&*said)).ok_or_else(|| {
        let said: String = said.chars().take(MAX_REASON).collect();
        Some(format!("git gave {said:?} as the commit's date"))
    })
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
        assert_eq!(commit_date(folder.path()), Err(None), "a repository without a commit");
        git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
        assert_eq!(commit_date(folder.path()).ok(), Timestamp::from_unix(1_700_000_000));
        git(&["config", "log.showSignature", "true"]);
        assert_eq!(commit_date(folder.path()).ok(), Timestamp::from_unix(1_700_000_000));
        std::fs::write(folder.path().join(".git/config"), "[broken").unwrap();
        let reason = commit_date(folder.path()).unwrap_err().unwrap();
        assert!(reason.starts_with("fatal: bad config line "), "{reason}");
        let reason = commit_date(&folder.path().join("missing")).unwrap_err().unwrap();
        assert!(reason.starts_with("git cannot be run: "), "{reason}");
    }
}
