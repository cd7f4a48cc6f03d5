//! Upgrades to packs that appear in a folder.

use std::{
    collections::BTreeMap,
    fs, io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use kernelpack_manifest::Digest;
use kernelpack_memory::Lineage;
use kernelpack_runtime::read_manifest;
use semver::Version;

use crate::{KernelManager, Swapped, Upgrade, UpgradeError};

/// The default interval between scans.
const INTERVAL: Duration = Duration::from_secs(1);
/// The limit of packs in a folder, and of files in a pack; a folder with more is probably not meant for packs.
const MAX_ENTRIES: usize = 4096;
/// The depth to which folders are scanned; modules are one level deep.
const MAX_DEPTH: usize = 4;

/// An event of a [`Watch`].
#[derive(Debug)]
#[non_exhaustive]
pub enum WatchEvent {
    /// The active pack has changed: to one from the folder, or to one that another process made active in the store.
    Upgraded(Swapped),
    /// A pack was refused. It is not tried again until its files change, unless the reason may be temporary, such as a
    /// lack of memory.
    Refused {
        /// The pack's folder.
        path: PathBuf,
        /// The reason.
        error: UpgradeError,
    },
    /// The pack that another process made active in the store cannot be used here.
    NotRefreshed(UpgradeError),
    /// The folder cannot be read at the moment; reported once for as long as that lasts.
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}

/// Configures a [`Watch`].
///
/// # Example: upgrades to what appears in a folder
/// ```no_run
/// use std::{io, time::Duration};
///
/// use kernelpack_host::manager::{KernelManager, Watch, WatchEvent};
///
/// fn watch(manager: &KernelManager) -> io::Result<Watch> {
///     let watch = manager.watch("/var/lib/engine/inbox").interval(Duration::from_secs(5));
///     watch.on_event(|event| if let WatchEvent::Refused { path, error } = event {
///         eprintln!("{}: {error}", path.display());
///     }).start()
/// }
/// ```
#[must_use]
pub struct WatchBuilder {
    manager: KernelManager,
    dir: PathBuf,
    interval: Duration,
    on_event: Box<dyn FnMut(WatchEvent) + Send>,
}

impl KernelManager {
    /// Upgrades to packs that appear in a folder, on a thread that ends with the [`Watch`].
    ///
    /// Packs should be written under another name, or in another folder of the same file system, and renamed into
    /// place. A pack that is still being copied is refused, and tried again when its files have changed.
    pub fn watch(&self, dir: impl AsRef<Path>) -> WatchBuilder {
        WatchBuilder::new(self.clone(), dir.as_ref())
    }
}

impl WatchBuilder {
    pub(crate) fn new(manager: KernelManager, dir: &Path) -> Self {
        Self { manager, dir: dir.to_owned(), interval: INTERVAL, on_event: Box::new(|_| {}) }
    }

    /// Scans this often; once a second by default.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Calls this with each event, on the watch's thread; events are also logged. The callback may use the manager, for
    /// example to roll back.
    pub fn on_event(mut self, on_event: impl FnMut(WatchEvent) + Send + 'static) -> Self {
        self.on_event = Box::new(on_event);
        self
    }

    /// Starts watching.
    ///
    /// # Errors
    /// The folder cannot be read, or the thread cannot be started.
    pub fn start(self) -> io::Result<Watch> {
        fs::read_dir(&self.dir)?;
        let Self { manager, dir, interval, on_event } = self;
        let mut inbox = Inbox { manager, dir, on_event, tried: BTreeMap::new(), unreadable: false };
        let (stop, stopped) = sync_channel::<()>(0);
        let thread = thread::Builder::new().name("kernelpack-watch".to_owned()).spawn(move || {
            loop {
                // A callback that panics must not silently end the watch.
                if catch_unwind(AssertUnwindSafe(|| inbox.look())).is_err() {
                    tracing::error!(dir = %inbox.dir.display(), "an event of the watch was answered with a panic");
                }
                if stopped.recv_timeout(interval) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Watch { stop: Some(stop), thread: Some(thread), process: Lineage::current() })
    }
}

impl std::fmt::Debug for WatchBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { dir, interval, .. } = self;
        f.debug_struct("WatchBuilder").field("dir", dir).field("interval", interval).finish_non_exhaustive()
    }
}

/// Watches a folder until it is dropped; dropping waits for the thread, and so for an upgrade in progress.
///
/// Of several new packs, the newest is tried first. Files, links and folders whose name begins with a dot are ignored,
/// and so is a pack that was rolled back: only [`KernelManager::upgrade`] activates it again.
///
/// # Example: upgrades for as long as a service runs
/// ```no_run
/// use std::io;
///
/// use kernelpack_host::manager::KernelManager;
///
/// fn serve(manager: &KernelManager, run: impl FnOnce()) -> io::Result<()> {
///     let watch = manager.watch("/var/lib/engine/inbox").start()?;
///     run();
///     drop(watch); // ends its thread
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "the watch ends when this is dropped"]
pub struct Watch {
    // `None` only while dropping.
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread; a forked child does not have it.
    process: Lineage,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.process.is_current() {
            // In a forked child, the thread does not exist, and the fork may have interrupted an operation on the
            // channel.
            mem::forget((self.stop.take(), self.thread.take()));
            return;
        }
        // Closing the channel wakes the thread at once.
        drop(self.stop.take());
        // If the callback owns the watch, this runs on the watch's own thread, which cannot join itself and ends after
        // this event.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

struct Inbox {
    manager: KernelManager,
    dir: PathBuf,
    on_event: Box<dyn FnMut(WatchEvent) + Send>,
    /// The digest of the names, sizes and times of each pack's files when it was last tried.
    tried: BTreeMap<PathBuf, Digest>,
    unreadable: bool,
}

impl Inbox {
    fn look(&mut self) {
        match self.manager.refresh() {
            Ok(None) => {}
            Ok(Some(swapped)) => (self.on_event)(WatchEvent::Upgraded(swapped)),
            // These errors are not reported, since they may be temporary and the next scan tries again.
            Err(UpgradeError::Store(_) | UpgradeError::Unchecked(_)) => {}
            Err(error) => (self.on_event)(WatchEvent::NotRefreshed(error)),
        }
        let found = match candidates(&self.dir) {
            Ok(found) => found,
            Err(error) => {
                if !mem::replace(&mut self.unreadable, true) {
                    tracing::warn!(dir = %self.dir.display(), %error, "cannot look for packs");
                    (self.on_event)(WatchEvent::Unreadable { path: self.dir.clone(), error });
                }
                return;
            }
        };
        self.unreadable = false;
        self.tried.retain(|path, _| found.contains_key(path));
        let mut new: Vec<_> = found.into_iter().filter(|(path, looks)| self.tried.get(path) != Some(looks)).collect();
        // These versions are unverified, and only determine the order in which packs are tried.
        let version = |path: &Path| read_manifest(path).ok().map(|manifest| manifest.version);
        new.sort_by_cached_key(|(path, _)| std::cmp::Reverse(version(path).unwrap_or(Version::new(0, 0, 0))));
        for (path, looks) in new {
            self.try_one(path, looks);
        }
    }

    fn try_one(&mut self, path: PathBuf, looks: Digest) {
        let result = self.manager.upgrade_with(&path, Upgrade::unattended());
        if !result.as_ref().is_err_and(UpgradeError::is_passing) {
            self.tried.insert(path.clone(), looks);
        }
        match result {
            Ok(swapped) if !swapped.is_change() => {}
            Ok(swapped) => (self.on_event)(WatchEvent::Upgraded(swapped)),
            Err(error) => (self.on_event)(WatchEvent::Refused { path, error }),
        }
    }
}

/// Returns the folders that could be packs, each with the [`appearance`] of its files.
fn candidates(dir: &Path) -> io::Result<BTreeMap<PathBuf, Digest>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir)?.take(MAX_ENTRIES) {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.file_type()?.is_dir() {
            // The folder is gone again or unreadable; the next scan may succeed.
            if let Ok(looks) = appearance(&entry.path()) {
                found.insert(entry.path(), looks);
            }
        }
    }
    Ok(found)
}

/// Returns a digest of the names, sizes and times of the files in a folder, which changes whenever a file is written.
fn appearance(dir: &Path) -> io::Result<Digest> {
    let mut lines = Vec::new();
    let mut folders = vec![(dir.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            lines.push(format!("{:?} {} {:?}", entry.path(), metadata.len(), times(&metadata)));
            if metadata.is_dir() && depth < MAX_DEPTH {
                folders.push((entry.path(), depth + 1));
            }
            if lines.len() > MAX_ENTRIES {
                break;
            }
        }
    }
    lines.sort_unstable();
    Ok(Digest::of(lines.join("\n").as_bytes()))
}

/// Returns when a file was last written and, on Unix, when its metadata last changed, which programs cannot set.
fn times(metadata: &fs::Metadata) -> impl std::fmt::Debug + use<> {
    #[cfg(unix)]
    let changed = {
        use std::os::unix::fs::MetadataExt as _;
        (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
    };
    #[cfg(not(unix))]
    let changed = ();
    (metadata.modified().ok(), changed)
}
