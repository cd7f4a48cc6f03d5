//! Processes that may not end, or say more than anybody wants to hear.

use std::{
    io::{self, Read as _},
    process::{Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

/// How often to look whether a process has ended.
const POLL: Duration = Duration::from_millis(2);

/// How a process ends; one that does not in time is stopped.
///
/// # Errors
/// The system's words.
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

/// What a process reported, in one line, as far as it is of reasonable length; of a panic, its message.
pub fn last_words(mut stderr: impl io::Read) -> String {
    let mut said = Vec::new();
    // Read to the end in any case, or the process would wait for a reader.
    let _ = stderr.by_ref().take(1 << 16).read_to_end(&mut said);
    let _ = io::copy(&mut stderr, &mut io::sink());
    let said = String::from_utf8_lossy(&said);
    let hint = |line: &&str| !line.starts_with("note: ") && !line.trim().is_empty();
    let lines: Vec<&str> = said.lines().filter(hint).map(str::trim).collect();
    let panicked = lines.iter().position(|line| line.contains("panicked at")).unwrap_or_default();
    let text = lines[panicked..].join(" ");
    // The thread's number in front differs from run to run.
    let text = text.find("panicked at").map_or(text.as_str(), |at| &text[at..]);
    text[..text.floor_char_boundary(300)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_in_one_line() {
        let said = "noise\n\nthread 'main' (42) panicked at src/lib.rs:1:2:\nelement 3 is -1\nnote: run with `RUST_BACKTRACE=1`\n";
        assert_eq!(last_words(said.as_bytes()), "panicked at src/lib.rs:1:2: element 3 is -1");
        assert_eq!(last_words("fatal\n".as_bytes()), "fatal");
        assert_eq!(last_words(&b""[..]), "");
        assert!(last_words("é".repeat(100_000).as_bytes()).len() <= 300);
    }
}
