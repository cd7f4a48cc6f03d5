use super::*;

const LONG: Duration = Duration::from_secs(3600);

fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

#[test]
fn the_value_is_dropped_when_its_time_is_up() {
    let grace = Grace::start(Duration::from_millis(1)).unwrap();
    for _ in 0..3 {
        let value = Arc::new(());
        grace.keep(value.clone());
        until(|| Arc::strong_count(&value) == 1);
        assert_eq!(grace.peek(), None);
    }
}

#[test]
fn it_is_kept_until_then() {
    for period in [LONG, Duration::MAX] {
        let grace = Grace::start(period).unwrap();
        let value = Arc::new(());
        grace.keep(value.clone());
        assert!(grace.peek().is_some());
        // Dropping the keeper drops its value and ends its thread.
        let thread = Arc::downgrade(&grace.shared);
        drop(grace);
        assert_eq!(Arc::strong_count(&value), 1);
        assert_eq!(thread.strong_count(), 0);
    }
}

#[test]
fn a_value_whose_drop_panics_is_not_the_last_to_be_dropped() {
    struct Value {
        _counted: Arc<()>,
        ends_well: bool,
    }
    impl Drop for Value {
        fn drop(&mut self) {
            assert!(self.ends_well, "the first drop panics");
        }
    }
    let grace = Grace::start(Duration::from_millis(1)).unwrap();
    for ends_well in [false, true] {
        let value = Arc::new(());
        grace.keep(Value { _counted: value.clone(), ends_well });
        until(|| Arc::strong_count(&value) == 1);
    }
}

#[test]
fn another_value_takes_its_place() {
    let grace = Grace::start(LONG).unwrap();
    let (first, second) = (Arc::new(1), Arc::new(2));
    grace.keep(first.clone());
    grace.keep(second.clone());
    assert_eq!(Arc::strong_count(&first), 1);
    assert_eq!(grace.peek(), Some(second.clone()));
    grace.drop_now();
    assert_eq!(grace.peek(), None);
    assert_eq!(Arc::strong_count(&second), 1);
}
