//! Tests packs that appear in a watched folder.

use std::{
    fs,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use kernelpack_host::manager::{KernelManager, UpgradeError, Watch, WatchEvent};
use kernelpack_tests::{apply, engine::Engine, on_both_engines};

use crate::releases::{Release, Releases, active_shift, manager};

fn watch(manager: &KernelManager, inbox: &Releases) -> (Watch, Receiver<WatchEvent>) {
    let (send, events) = channel();
    let watch = manager
        .watch(inbox.path())
        .interval(Duration::from_millis(5))
        .on_event(move |event| {
            let _ = send.send(event);
        })
        .start()
        .unwrap();
    (watch, events)
}

/// Returns the patch number of the next pack that becomes active.
#[track_caller]
fn upgraded(events: &Receiver<WatchEvent>) -> u64 {
    match events.recv().unwrap() {
        WatchEvent::Upgraded(swapped) => swapped.to.version.patch,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(events: &Receiver<WatchEvent>) -> (String, UpgradeError) {
    match events.recv().unwrap() {
        WatchEvent::Refused { path, error } => (path.file_name().unwrap().to_str().unwrap().to_owned(), error),
        other => panic!("{other:?}"),
    }
}

/// Puts a release into the inbox atomically.
fn release(engine: Engine, inbox: &Releases, number: u32) {
    let elsewhere = Releases::new(engine);
    fs::rename(elsewhere.good(number), inbox.path().join(number.to_string())).unwrap();
}

#[apply(on_both_engines)]
fn what_appears_becomes_active_the_newest_first(engine: Engine) {
    let inbox = Releases::new(engine);
    for number in [1, 10, 9] {
        inbox.good(number);
    }
    fs::write(inbox.path().join("README"), "no pack").unwrap();
    fs::create_dir(inbox.path().join(".20")).unwrap();
    let manager = manager(engine);
    let (watch, events) = watch(&manager, &inbox);
    assert_eq!(upgraded(&events), 10);
    // The others are older, so they are refused, and each is reported once.
    for name in ["9", "1"] {
        let (path, error) = refused(&events);
        assert_eq!(path, name);
        assert!(matches!(error, UpgradeError::Downgrade { .. }), "{error:?}");
    }
    release(engine, &inbox, 11);
    assert_eq!(upgraded(&events), 11);
    assert_eq!(active_shift(&manager), 11.0);

    // Dropping the watch ends its thread, which owned the sender.
    drop(watch);
    assert!(events.recv().is_err());
}

#[apply(on_both_engines)]
fn a_bad_pack_is_tried_once_and_again_when_it_changes(engine: Engine) {
    let inbox = Releases::new(engine);
    let manager = manager(engine);
    manager.upgrade(Releases::new(engine).good(1)).unwrap();
    // The pack is only partly copied: its module is missing.
    let elsewhere = Releases::new(engine);
    let module = fs::read(elsewhere.good(2).join("shift/shift_f32.wasm")).unwrap();
    fs::remove_file(elsewhere.path().join("2/shift/shift_f32.wasm")).unwrap();
    fs::rename(elsewhere.path().join("2"), inbox.path().join("2")).unwrap();
    let (_watch, events) = watch(&manager, &inbox);
    let (path, error) = refused(&events);
    assert_eq!(path, "2");
    assert!(matches!(error, UpgradeError::Rejected(_)), "{error:?}");

    // Another pack becomes active; nothing is reported about the bad one meanwhile.
    release(engine, &inbox, 3);
    assert_eq!(upgraded(&events), 3);
    release(engine, &inbox, 4);
    assert_eq!(upgraded(&events), 4);
    assert!(events.try_recv().is_err());

    // Once the copy is complete, it is tried again, but is too old by then.
    fs::write(inbox.path().join("2/shift/shift_f32.wasm"), module).unwrap();
    loop {
        // The watch may have read the module while it was being written; then it tries the pack once more.
        match refused(&events) {
            (path, UpgradeError::Rejected(_)) if path == "2" => {}
            (path, UpgradeError::Downgrade { .. }) if path == "2" => break,
            (path, other) => panic!("{path}: {other:?}"),
        }
    }
}

#[apply(on_both_engines)]
fn what_was_rolled_back_is_left_alone(engine: Engine) {
    let inbox = Releases::new(engine);
    inbox.good(2);
    let manager = manager(engine);
    manager.upgrade(Releases::new(engine).good(1)).unwrap();
    let (first, events) = watch(&manager, &inbox);
    assert_eq!(upgraded(&events), 2);
    manager.rollback().unwrap();
    drop(first);
    // A new watch does not know which packs the first one tried.
    let (_watch, events) = watch(&manager, &inbox);
    let (_, error) = refused(&events);
    assert!(matches!(error, UpgradeError::Withdrawn { .. }), "{error:?}");
    assert_eq!(active_shift(&manager), 1.0);
}

#[apply(on_both_engines)]
fn a_callback_may_roll_back_panic_and_end_the_watch(engine: Engine) {
    let inbox = Releases::new(engine);
    let manager = manager(engine);
    manager.upgrade(Releases::new(engine).good(1)).unwrap();
    let (send, versions) = channel();
    let (give, watch) = channel::<Watch>();
    let inside = manager.clone();
    let started = manager
        .watch(inbox.path())
        .interval(Duration::from_millis(5))
        .on_event(move |event| {
            let WatchEvent::Upgraded(swapped) = event else { return };
            match swapped.to.version.patch {
                2 => panic!("the second is not welcome, and this is part of the test"),
                3 => {
                    inside.rollback().unwrap();
                }
                _ => drop(watch.recv().unwrap()),
            }
            send.send(swapped.to.version.patch).unwrap();
        })
        .start()
        .unwrap();
    give.send(started).unwrap();
    release(engine, &inbox, 2);
    while manager.active().unwrap().version.patch != 2 {
        std::thread::yield_now();
    }
    release(engine, &inbox, 3);
    assert_eq!(versions.recv().unwrap(), 3);
    assert_eq!(active_shift(&manager), 2.0);
    release(engine, &inbox, 4);
    assert_eq!(versions.recv().unwrap(), 4);
    // The thread ended, and dropped the callback.
    assert!(versions.recv().is_err());
}

#[apply(on_both_engines)]
fn a_folder_that_is_not_there_is_told_at_once_and_one_that_goes_later(engine: Engine) {
    let inbox = Releases::new(engine);
    let manager = manager(engine);
    assert!(manager.watch(inbox.path().join("none")).start().is_err());
    let folder = inbox.path().join("inbox");
    fs::create_dir(&folder).unwrap();
    let (send, events) = channel();
    let _watch = manager
        .watch(&folder)
        .interval(Duration::from_millis(5))
        .on_event(move |event| drop(send.send(event)))
        .start()
        .unwrap();
    fs::remove_dir(&folder).unwrap();
    assert!(matches!(events.recv().unwrap(), WatchEvent::Unreadable { .. }));
    // The folder comes back with a pack in it.
    Release::of(1).write(&inbox.path().join("new/1"));
    fs::rename(inbox.path().join("new"), &folder).unwrap();
    assert_eq!(upgraded(&events), 1);
}
