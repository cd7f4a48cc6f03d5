//! `bench --open`: measures the time until the kernels of a pack can be called.

use std::{
    error::Error,
    fmt::{self, Display, Formatter},
    path::Path,
    time::{Duration, Instant},
};

use kernelpack_host::pack::CacheOutcome;
use serde::Serialize;

use super::stopwatch::median;
use crate::{print, setup::Setup};

/// The contents of the compile cache when the pack is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Cache {
    /// There is no cache.
    None,
    /// The cache is empty, and opening the pack fills it.
    Empty,
    /// The cache holds all of the pack's code.
    Full,
}

/// The figures of one way of opening: a line of `--json`.
#[derive(Clone, Debug, Serialize)]
struct Figures {
    cache: Cache,
    modules: usize,
    samples: usize,
    /// Milliseconds for building the runtime: the engine, its probes and the folder of the cache.
    runtime_ms: f64,
    /// Milliseconds from then until the pack is open, with everything verified and all code ready.
    open_ms: f64,
}

/// Measures and prints.
///
/// # Errors
/// The pack is refused, or there is no room for caches on disk.
pub(crate) fn run(pack: &Path, trusting: &Setup, quick: bool, json: bool) -> Result<(), Box<dyn Error>> {
    let rounds = if quick { 2 } else { 15 };
    let mut samples = [const { Vec::new() }; 3];
    let mut modules = 0;
    for _ in 0..rounds {
        // Each round has its own folder, so that [`Cache::Empty`] always starts with an empty cache.
        let folder = tempfile::tempdir()?;
        for (cache, samples) in [Cache::None, Cache::Empty, Cache::Full].into_iter().zip(&mut samples) {
            let (times, count) = sample(pack, trusting, cache, folder.path())?;
            samples.push(times);
            modules = count;
        }
    }
    if !json {
        print::data(Head)?;
    }
    for (cache, samples) in [Cache::None, Cache::Empty, Cache::Full].into_iter().zip(samples) {
        let of = |time: fn(&(Duration, Duration)) -> Duration| {
            let ms = samples.iter().map(|times| time(times).as_secs_f64() * 1000.0).collect();
            (median(ms) * 1000.0).round() / 1000.0
        };
        let (runtime_ms, open_ms) = (of(|times| times.0), of(|times| times.1));
        let figures = Figures { cache, modules, samples: rounds, runtime_ms, open_ms };
        if json { print::json_line(&figures)? } else { print::data(figures)? }
    }
    Ok(())
}

/// Opens the pack once, in its own runtime; returns the times of both, and the number of modules.
fn sample(
    pack: &Path,
    trusting: &Setup,
    cache: Cache,
    folder: &Path,
) -> Result<((Duration, Duration), usize), Box<dyn Error>> {
    let start = Instant::now();
    let setup = trusting.clone();
    let setup = if cache == Cache::None { setup } else { setup.compile_cache(folder) };
    let runtime = setup.build()?;
    let built = start.elapsed();
    let pack = runtime.open(pack)?;
    let opened = start.elapsed() - built;

    let expected = match cache {
        Cache::None => CacheOutcome::Off,
        Cache::Empty => CacheOutcome::Miss,
        Cache::Full => CacheOutcome::Hit,
    };
    let mut modules = 0;
    for (kernel, outcome) in pack.cache_outcomes() {
        if outcome != expected {
            return Err(format!("the compile cache did not work as expected for {kernel}: {outcome:?}").into());
        }
        modules += 1;
    }
    Ok(((built, opened), modules))
}

/// The table's header.
struct Head;

impl Display for Head {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:6}  {:>8}  {:>12}  {:>12}", "cache", "modules", "runtime ms", "open ms")
    }
}

impl Display for Figures {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { modules, runtime_ms, open_ms, .. } = self;
        let cache = match self.cache {
            Cache::None => "none",
            Cache::Empty => "empty",
            Cache::Full => "full",
        };
        writeln!(f, "{cache:6}  {modules:>8}  {runtime_ms:>12.3}  {open_ms:>12.3}")
    }
}
