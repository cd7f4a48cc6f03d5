use super::*;
use proptest::prelude::*;

#[test]
fn what_grows_grows_in_its_place() {
    let mut blocks = Blocks::new(1024);
    let memory = blocks.allocate(256, End::Front).unwrap();
    let stack = blocks.allocate(100, End::Back).unwrap();
    assert_eq!((memory, stack), (0, 924));
    assert!(blocks.resize(memory, 924));
    assert!(!blocks.resize(memory, 925));
    assert_eq!(blocks.used(), 1024);
    blocks.free(stack);
    blocks.free(memory);
    assert_eq!(blocks.allocate(1024, End::Back), Some(0));
    assert_eq!(blocks.allocate(1, End::Back), None);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Allocate(u32, bool),
    Resize(usize, u32),
    Free(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..80u32, any::<bool>()).prop_map(|(size, front)| Step::Allocate(size, front)),
        (any::<usize>(), 0..120u32).prop_map(|(which, size)| Step::Resize(which, size)),
        any::<usize>().prop_map(Step::Free),
    ]
}

proptest! {
    /// Compares the blocks with a map from each unit to its owner.
    #[test]
    fn allocations_never_overlap_and_nothing_is_lost(steps in prop::collection::vec(step(), 1..300)) {
        let mut blocks = Blocks::new(1000);
        let (mut held, mut most): (Vec<(u32, u32)>, usize) = (Vec::new(), 1);
        for step in steps {
            match step {
                Step::Allocate(size, front) => {
                    let end = if front { End::Front } else { End::Back };
                    held.extend(blocks.allocate(size, end).map(|start| (start, size)));
                }
                Step::Resize(which, size) if !held.is_empty() => {
                    let at = which % held.len();
                    if blocks.resize(held[at].0, size) {
                        held[at].1 = size;
                    }
                }
                Step::Free(which) if !held.is_empty() => blocks.free(held.swap_remove(which % held.len()).0),
                Step::Resize(..) | Step::Free(_) => {}
            }
            let mut sorted = held.clone();
            sorted.sort_unstable();
            prop_assert!(sorted.windows(2).all(|two| two[0].0 + two[0].1 <= two[1].0));
            prop_assert!(sorted.iter().all(|(start, size)| *size > 0 && start + size <= 1000));
            prop_assert!(sorted.iter().all(|(start, size)| blocks.size(*start) == Some(*size)));
            prop_assert_eq!(blocks.used(), sorted.iter().map(|(_, size)| *size as usize).sum::<usize>());
            prop_assert!(blocks.blocks.windows(2).all(|two| two[0].start + two[0].size == two[1].start));
            prop_assert!(blocks.blocks.windows(2).all(|two| two[0].used || two[1].used));
            prop_assert!(blocks.blocks.capacity() <= blocks.blocks.len().max(most) + STEP);
            most = most.max(blocks.blocks.len());
        }
        for (start, _) in held {
            blocks.free(start);
        }
        prop_assert_eq!(blocks.blocks, [Block { start: 0, size: 1000, used: false }]);
    }
}
