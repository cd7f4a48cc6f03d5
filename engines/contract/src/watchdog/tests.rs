use super::*;
use kernelpack_memory::Region;

type Dog = Watchdog<Arc<Region>>;

fn watched() -> (Arc<Dog>, Watch<Arc<Region>>, Arc<Region>) {
    let region = Arc::new(Region::reserve(1 << 20).unwrap());
    region.grow_to(65536).unwrap();
    let dog = Arc::new(Watchdog::default());
    (dog.clone(), dog.watch(region.clone()), region)
}

#[test]
fn a_call_has_its_whole_budget_and_no_more_than_a_tick_above() {
    let (dog, watch, region) = watched();
    watch.arm(2);
    dog.tick();
    dog.tick();
    assert!(watch.disarm());
    watch.arm(2);
    dog.tick();
    dog.tick();
    dog.tick();
    assert!(!watch.disarm());
    assert!(region.grow_to(131072).is_err(), "a memory that was closed stays closed");
}

/// When `mprotect` meets a hole, it fails, but may already have changed the pages before it.
#[test]
#[allow(unsafe_code, reason = "nothing else makes a hole in a memory")]
fn a_memory_that_was_closed_in_part_is_never_used_again() {
    let (dog, watch, region) = watched();
    let hole = region.base().as_ptr().wrapping_add(32768).cast();
    // SAFETY: the page belongs to the region, and nothing uses it.
    unsafe { rustix::mm::munmap(hole, 4096).unwrap() };
    watch.arm(0);
    dog.tick();
    dog.tick();
    assert_eq!(watch.cell.stop.load(Relaxed), STUCK);
    assert!(!watch.disarm());
    dog.tick();
    assert_eq!(watch.cell.stop.load(Relaxed), STOPPED);
}

#[test]
fn what_is_not_armed_is_left_in_peace() {
    let (dog, watch, region) = watched();
    dog.tick();
    watch.arm(1);
    assert!(watch.disarm());
    dog.tick();
    dog.tick();
    dog.tick();
    region.grow_to(131072).unwrap();
    drop(watch);
    assert_eq!(Arc::strong_count(&region), 1);
}

#[test]
fn a_deadline_that_races_with_the_end_of_a_call_is_settled_one_way() {
    for _ in 0..200 {
        let (dog, watch, region) = watched();
        watch.arm(0);
        let left_in_peace = std::thread::scope(|scope| {
            scope.spawn(|| dog.tick());
            watch.disarm()
        });
        assert_eq!(region.grow_to(131072).is_ok(), left_in_peace);
    }
}

/// Takes several steps, each longer than a tick continues.
#[derive(Debug)]
struct Slow {
    steps: AtomicU64,
    dog: Arc<Watchdog<Arc<Self>>>,
}

impl Stoppable for Arc<Slow> {
    fn stop(&self) -> io::Result<bool> {
        // If the list's lock were held here, dropping an instance would block.
        assert!(self.dog.cells.try_lock().is_ok(), "the list is locked while an instance is stopped");
        std::thread::sleep(PATIENCE);
        Ok(self.steps.fetch_sub(1, Relaxed) == 1)
    }
}

fn slow(dog: &Arc<Watchdog<Arc<Slow>>>, steps: u64) -> (Watch<Arc<Slow>>, Arc<Slow>) {
    let slow = Arc::new(Slow { steps: AtomicU64::new(steps), dog: dog.clone() });
    let watch = dog.watch(slow.clone());
    watch.arm(0);
    (watch, slow)
}

#[test]
fn what_takes_many_steps_delays_nobody_else() {
    let dog = Arc::default();
    let (many, many_steps) = slow(&dog, 1000);
    let all: Vec<_> = (0..10).map(|_| slow(&dog, 1)).collect();
    dog.tick();
    assert_eq!(many_steps.steps.load(Relaxed), 999, "a tick takes one step more than its time allows");
    for (watch, slow) in &all {
        assert_eq!(slow.steps.load(Relaxed), 0);
        assert!(!watch.disarm());
    }
    dog.tick();
    assert_eq!(many_steps.steps.load(Relaxed), 998);
    assert!(!many.disarm(), "a call that meets what is closed already is over");
    dog.tick();
    assert_eq!(many_steps.steps.load(Relaxed), 998, "nothing more is closed then");
}

#[test]
fn a_watch_is_not_dropped_while_its_instance_is_being_stopped() {
    for _ in 0..20 {
        let dog = Arc::default();
        let (watch, slow) = slow(&dog, 1000);
        std::thread::scope(|scope| {
            let ticking = scope.spawn(|| dog.tick());
            while watch.cell.stop.load(Relaxed) == RUNNING {
                std::hint::spin_loop();
            }
            drop(watch);
            let left = slow.steps.load(Relaxed);
            ticking.join().unwrap();
            assert_eq!(slow.steps.load(Relaxed), left, "an instance is stopped that its watch was dropped before");
        });
    }
}
