//! When a pack was made: a date that belongs to its sources, so that building them again gives the same one.

use std::{env, ffi::OsStr, path::Path, process::Command};

use crate::{BuildError, Event, Warning};

/// The last second that RFC 3339 can write, 9999-12-31T23:59:59Z.
const LATEST: u64 = 253_402_300_799;

/// The value of `created_at`: `SOURCE_DATE_EPOCH`, else the date of the crate's commit, else the epoch with a warning.
pub(crate) fn created_at(crate_dir: &Path, progress: &mut dyn FnMut(Event)) -> Result<String, BuildError> {
    let seconds = match env::var_os("SOURCE_DATE_EPOCH") {
        Some(value) => {
            parse(&value).ok_or_else(|| BuildError::SourceDateEpoch { value: value.to_string_lossy().into() })?
        }
        None => commit_date(crate_dir).unwrap_or_else(|| {
            progress(Event::Warning(Warning::NoDate { crate_dir: crate_dir.into() }));
            0
        }),
    };
    Ok(rfc_3339(seconds))
}

fn parse(text: &OsStr) -> Option<u64> {
    text.to_str()?.trim().parse().ok().filter(|seconds| *seconds <= LATEST)
}

/// When the commit was made that the crate is checked out at.
fn commit_date(crate_dir: &Path) -> Option<u64> {
    let log = Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(crate_dir).output().ok()?;
    if log.status.success() { parse(OsStr::new(str::from_utf8(&log.stdout).ok()?)) } else { None }
}

/// Seconds since 1970 as RFC 3339 in UTC; the calendar is computed as in Howard Hinnant's `civil_from_days`.
fn rfc_3339(seconds: u64) -> String {
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Years that start in March have their leap day at the end, and eras of 400 of them are all alike.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_based = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_based + 2) / 5 + 1;
    let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_768_694_400, "2026-01-18T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LATEST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc_3339(seconds), date);
        }
    }

    #[test]
    fn what_is_no_number_of_seconds_is_refused() {
        assert_eq!(parse(OsStr::new("1700000000\n")), Some(1_700_000_000));
        assert_eq!(parse(OsStr::new("253402300799")), Some(LATEST));
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
        assert_eq!(commit_date(folder.path()), Some(1_700_000_000));
    }
}
