use super::*;

#[test]
fn results_are_in_order() {
    let items: Vec<u32> = (0..1000).collect();
    let squares = map(items.clone(), |index, item| {
        assert_eq!(index as u32, item);
        Ok::<_, ()>(item * item)
    });
    assert_eq!(squares, Ok(items.iter().map(|item| item * item).collect()));
    assert_eq!(map(vec![(); 0], |_, ()| Err::<(), _>(())), Ok(vec![]));
}

#[test]
fn the_error_is_that_of_the_first_item_that_fails() {
    let items: Vec<usize> = (0..64).collect();
    for first in 0..items.len() {
        let result = map(items.clone(), |index, _| {
            if index == first {
                // Lets later items finish first.
                thread::yield_now();
            }
            if index >= first { Err(index) } else { Ok(()) }
        });
        assert_eq!(result, Err(first));
    }
}
