//! Runs processes that may not end, or that may write too much output.

use std::{
    io::{self, Read as _},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// The interval for checking whether a process has ended.
const POLL: Duration = Duration::from_millis(2);
/// The most bytes of standard output that are kept.
const MOST_OUTPUT: u64 = 1 << 14;

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The beginning of its standard output.
    pub(crate) stdout: Vec<u8>,
    /// The end of its standard error.
    pub(crate) said: String,
}

/// Runs a process to its end, with empty standard input; `None` if it was stopped because it did not end in time.
pub(crate) fn run(mut command: Command, limit: Duration) -> io::Result<Option<Ended>> {
    let start = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().map(|stdout| aside(move || head(stdout)));
    let said = child.stderr.take().map(|stderr| aside(move || last_words(stderr)));
    let Some(status) = wait(&mut child, limit)? else { return Ok(None) };
    // Its own child processes may keep its output open; they are not waited for.
    let left = || limit.saturating_sub(start.elapsed()).max(POLL);
    let stdout = stdout.and_then(|stdout| stdout.recv_timeout(left()).ok()).unwrap_or_default();
    let said = said.and_then(|said| said.recv_timeout(left()).ok()).unwrap_or_default();
    Ok(Some(Ended { status, stdout, said }))
}

/// Runs `work` on a thread, and returns the receiver of its result.
fn aside<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> mpsc::Receiver<R> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    receiver
}

/// Returns the beginning of an output, which is read to its end.
fn head(mut stdout: impl io::Read) -> Vec<u8> {
    let mut read = Vec::new();
    let _ = stdout.by_ref().take(MOST_OUTPUT).read_to_end(&mut read);
    let _ = io::copy(&mut stdout, &mut io::sink());
    read
}

/// Waits for a process, and stops it if it does not end in time.
///
/// # Errors
/// The system's error.
pub fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// Returns the last line of a process's standard error, shortened if it is too long; for a panic, its message.
pub fn last_words(mut stderr: impl io::Read) -> String {
    let mut said = Vec::new();
    // Read to the end in any case, since the process would block on a full pipe.
    let _ = stderr.by_ref().take(1 << 16).read_to_end(&mut said);
    let _ = io::copy(&mut stderr, &mut io::sink());
    let said = String::from_utf8_lossy(&said);
    let hint = |line: &&str| !line.starts_with("note: ") && !line.trim().is_empty();
    let lines: Vec<&str> = said.lines().filter(hint).map(str::trim).collect();
    let panicked = lines.iter().position(|line| line.contains("panicked at")).unwrap_or_default();
    let text = lines[panicked..].join(" ");
    // The thread's number before it differs from run to run.
    let text = text.find("panicked at").map_or(text.as_str(), |at| &text[at..]);
    text[..text.floor_char_boundary(300)].to_owned()
}

#[cfg(test)]
mod tests;
