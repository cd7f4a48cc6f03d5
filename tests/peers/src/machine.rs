//! Describes what the figures depend on: the date, the machine, the versions, the command.

use std::{env, fmt, fs, process::Command, thread, time::SystemTime};

use kernelpack_manifest::Timestamp;
use serde::Serialize;

/// The versions that everything was built from.
const LOCK: &str = include_str!("../Cargo.lock");

/// The machine and the software with which the figures were measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    date: String,
    cpu: String,
    cores: usize,
    kernel: String,
    rustc: String,
    command: String,
    versions: Vec<String>,
}

impl Machine {
    /// Describes this machine; unknown facts are "unknown".
    pub(crate) fn new() -> Self {
        let unknown = || "unknown".to_owned();
        let date = Timestamp::of(SystemTime::now()).map(|time| time.to_string());
        let first_line = |path| Some(fs::read_to_string(path).ok()?.lines().next()?.to_owned());
        let rustc = Command::new("rustc").arg("--version").output().ok();
        let args: Vec<_> = env::args().skip(1).collect();
        Self {
            // The time of day is left out.
            date: date.and_then(|date| Some(date.split_once('T')?.0.to_owned())).unwrap_or_else(unknown),
            cpu: cpu().unwrap_or_else(unknown),
            cores: thread::available_parallelism().map_or(0, Into::into),
            kernel: first_line("/proc/sys/kernel/osrelease").unwrap_or_else(unknown),
            rustc: rustc.map_or_else(unknown, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            command: format!(
                "cargo run --release --locked --manifest-path tests/peers/Cargo.toml -- {}",
                args.join(" ")
            )
            .trim_end_matches(" -- ")
            .to_owned(),
            versions: vec![
                described("kernelpack-host", Some("wasmtime")),
                described("wasmtime", None),
                described("wit-bindgen", None),
                described("extism", Some("wasmtime")),
                described("extism-pdk", None),
                described("arrow-udf-runtime", Some("wasmtime")),
                described("arrow-udf", None),
            ],
        }
    }

    /// Returns the processor and the date.
    pub(crate) fn short(&self) -> String {
        format!("{}, {}", self.cpu, self.date)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, cpu, cores, kernel, rustc, command, versions } = self;
        writeln!(f, "{date}, {cpu} ({cores} cores), Linux {kernel}, {rustc}.")?;
        writeln!(f, "{}.\n\n```console\n$ {command}\n```", versions.join(", "))
    }
}

fn cpu() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let field = |name: &str| {
        let line = text.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    // Virtual machines may give names without a model, so family and model number are added.
    Some(format!("{} (family {}, model {})", field("model name")?, field("cpu family")?, field("model")?))
}

/// Returns a package in the lock file with its version, optionally the one that another package depends on.
fn described(package: &str, on: Option<&str>) -> String {
    // Takes the newest version, if there are several; the peers' own versions are listed with the peers.
    let found = LOCK.split("[[package]]\n").filter(|entry| value(entry, "name") == Some(package));
    let Some(entry) = found.last() else { return format!("{package} unknown") };
    let version = value(entry, "version").unwrap_or("unknown");
    let dependency = on.and_then(|on| {
        let line = entry.lines().find_map(|line| line.trim().strip_prefix('"')?.strip_prefix(on)?.strip_prefix(' '))?;
        Some(format!(" (on {on} {})", line.trim_end_matches(['"', ','])))
    });
    format!("{package} {version}{}", dependency.unwrap_or_default())
}

/// Returns the value of a key in an entry.
fn value<'a>(entry: &'a str, key: &str) -> Option<&'a str> {
    entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_its_version() {
        let versions = Machine::new().versions;
        assert!(versions.iter().all(|version| !version.contains("unknown")), "{versions:?}");
        assert!(versions.iter().any(|version| version.starts_with("extism 1.30.0 (on wasmtime 43.")), "{versions:?}");
        assert!(described("nothing", None).contains("unknown"));
    }
}
