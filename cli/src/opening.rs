//! Opens packs for commands: with a compile cache, and with reports of slow steps.

use std::{
    env,
    error::Error,
    ffi::OsStr,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use kernelpack_host::{
    Pack, Runtime,
    error::{ConfigError, StartError},
    pack::{CacheOutcome, LoadEvent},
};

use crate::{print, setup::Setup};

/// The options about compiling.
#[derive(Debug, clap::Args)]
pub(crate) struct Opening {
    /// Folder for compiled code, which nobody else may be able to write to; by default, kernelpack in $XDG_CACHE_HOME
    /// or ~/.cache
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,
    /// Compile everything again and keep nothing
    #[arg(long)]
    no_cache: bool,
    /// Report each module, even if standard error is not a terminal
    #[arg(long)]
    verbose: bool,
}

impl Opening {
    /// Opens a pack in a runtime that is built with a compile cache.
    ///
    /// # Errors
    /// The pack is refused, or a folder that was named cannot be a compile cache.
    pub(crate) fn open(&self, pack: &Path, setup: &Setup) -> Result<Pack, Box<dyn Error>> {
        self.open_in(&self.runtime(setup)?.0, pack)
    }

    /// Opens a pack in a runtime, and reports what is compiled.
    ///
    /// # Errors
    /// The pack is refused.
    pub(crate) fn open_in(&self, runtime: &Runtime, pack: &Path) -> Result<Pack, Box<dyn Error>> {
        let (shown, all) = (self.verbose || io::stderr().is_terminal(), self.verbose);
        let finished = AtomicUsize::new(0);
        let pack = runtime.open_with(pack, |event| {
            let LoadEvent::Finished { kernel, total, cache, .. } = event else { return };
            let count = finished.fetch_add(1, Ordering::Relaxed) + 1;
            match cache {
                CacheOutcome::Hit if all => {
                    print::note(format_args!("{kernel} was in the compile cache ({count} of {total})"));
                }
                CacheOutcome::Hit => {}
                CacheOutcome::Replaced { fault } | CacheOutcome::NotStored { fault: Some(fault), .. } => {
                    // This is reported even without --verbose, since someone may have tampered with the cache.
                    print::note(format_args!(
                        "compiled {kernel} again, since its entry in the compile cache is unusable: {fault}"
                    ));
                }
                CacheOutcome::NotStored { error, .. } if shown => print::note(format_args!(
                    "compiled {kernel} ({count} of {total}), but could not store it in the compile cache: {error}"
                )),
                CacheOutcome::NotCompiled if all => print::note(format_args!("loaded {kernel} ({count} of {total})")),
                CacheOutcome::NotCompiled => {}
                _ if shown => print::note(format_args!("compiled {kernel} ({count} of {total})")),
                _ => {}
            }
        })?;
        Ok(pack)
    }

    /// Builds a runtime with a compile cache; also returns the settings, to build others like it.
    ///
    /// # Errors
    /// The engine does not start, or a folder that was named cannot be a compile cache.
    pub(crate) fn runtime(&self, setup: &Setup) -> Result<(Runtime, Setup), kernelpack_host::Error> {
        let usual = default_cache().filter(|_| !self.no_cache);
        let with_cache = match self.cache.clone().or(usual) {
            Some(dir) => setup.clone().compile_cache(&dir),
            None => return Ok((setup.build()?, setup.clone())),
        };
        match with_cache.build() {
            // The default folder is optional, so commands go on without a cache if it cannot be used.
            Err(kernelpack_host::Error::Config(ConfigError::Start(StartError::Cache(error))))
                if self.cache.is_none() =>
            {
                print::note(format_args!("continuing without a compile cache: {error}"));
                Ok((setup.build()?, setup.clone()))
            }
            runtime => Ok((runtime?, with_cache)),
        }
    }
}

/// Returns the folder for caches according to the XDG Base Directory Specification, which says to ignore relative
/// paths.
fn default_cache() -> Option<PathBuf> {
    cache_of(env::var_os("XDG_CACHE_HOME").as_deref(), env::home_dir())
}

fn cache_of(xdg: Option<&OsStr>, home: Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let caches = xdg.map(PathBuf::from).filter(absolute);
    caches.or_else(|| home.filter(absolute).map(|home| home.join(".cache"))).map(|caches| caches.join("kernelpack"))
}

#[cfg(test)]
mod tests;
