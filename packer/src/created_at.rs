//! The date of a pack, taken from its sources, so that building them again gives the same date.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use kernelpack_manifest::Timestamp;

use crate::{
    error::BuildError,
    event::{Event, Warning},
};

/// Returns the value of `created_at`: `SOURCE_DATE_EPOCH`, else the date of the crate's commit, else the epoch with a
/// warning.
pub(crate) fn created_at(crate_dir: &Path, progress: &mut dyn FnMut(Event)) -> Result<String, BuildError> {
    let time = match env::var_os("SOURCE_DATE_EPOCH") {
        Some(value) => {
            parse(&value).ok_or_else(|| BuildError::SourceDateEpoch { value: value.to_string_lossy().into() })?
        }
        None => commit_date(crate_dir).unwrap_or_else(|undated| {
            let crate_dir = crate_dir.into();
            progress(Event::Warning(match undated {
                Undated::NoCommit => Warning::NoDate { crate_dir, reason: None },
                Undated::Untracked { repository } => Warning::Untracked { crate_dir, repository },
                Undated::Unknown { reason } => Warning::NoDate { crate_dir, reason: Some(reason) },
            }));
            Timestamp::EPOCH
        }),
    };
    Ok(time.to_string())
}

fn parse(text: &OsStr) -> Option<Timestamp> {
    Timestamp::from_unix(text.to_str()?.trim().parse().ok()?)
}

/// Git's messages, in the language that [`git`] sets, for a folder that is in no commit. If a link to a repository
/// exists but the repository does not, the message continues differently after "repository".
const NO_COMMIT: [&str; 2] = ["not a git repository (or any", "does not have any commits yet"];
/// The most characters of git's output to report.
const MAX_REASON: usize = 1000;

/// The reason why a crate has no date.
#[derive(Debug, PartialEq)]
enum Undated {
    NoCommit,
    /// The crate is in a checkout whose commit does not contain it.
    Untracked {
        repository: PathBuf,
    },
    /// Git does not report a date, for this reason.
    Unknown {
        reason: String,
    },
}

/// Returns the date of the commit that the crate is checked out at.
fn commit_date(crate_dir: &Path) -> Result<Timestamp, Undated> {
    let said = git(crate_dir, &["log", "-1", "--no-show-signature", "--format=%ct"])?;
    let date = parse(OsStr::new(&said)).ok_or_else(|| {
        let said: String = said.chars().take(MAX_REASON).collect();
        Undated::Unknown { reason: format!("git gave {said:?} as the commit's date") }
    })?;
    // The repository may belong to another project, in which the crate was unpacked or generated.
    if git(crate_dir, &["ls-tree", "--name-only", "HEAD", "Cargo.toml"])?.is_empty() {
        let repository = git(crate_dir, &["rev-parse", "--show-toplevel"])?.trim_end_matches(['\r', '\n']).into();
        return Err(Undated::Untracked { repository });
    }
    Ok(date)
}

/// Runs git in the crate's folder and returns its output.
///
/// Neither the user's settings nor the environment change the output: a variable such as `GIT_DIR` would name another
/// repository, and `log.showSignature` would print more than a date.
fn git(crate_dir: &Path, args: &[&str]) -> Result<String, Undated> {
    let mut git = Command::new("git");
    for (name, _) in env::vars_os() {
        let of_git = name.as_encoded_bytes().starts_with(b"GIT_");
        if of_git && name != "GIT_CEILING_DIRECTORIES" {
            git.env_remove(name);
        }
    }
    git.env("LC_ALL", "C").args(args).current_dir(crate_dir);
    let output = git.output().map_err(|error| Undated::Unknown { reason: format!("git cannot be run: {error}") })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if NO_COMMIT.iter().any(|words| said.contains(words)) {
        return Err(Undated::NoCommit);
    }
    let words: Vec<_> = said.split_whitespace().collect();
    let reason: String = words.join(" ").chars().take(MAX_REASON).collect();
    Err(Undated::Unknown {
        reason: if reason.is_empty() { format!("git failed with {}", output.status) } else { reason },
    })
}

#[cfg(test)]
mod tests;
