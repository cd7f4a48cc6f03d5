use super::*;

#[test]
fn all_take_turns_until_one_fails() {
    let (mut a, mut b) = (0, 0);
    let times = medians(
        Budget::QUICK,
        &mut [
            &mut || {
                a += 1;
                Ok::<_, ()>(())
            },
            &mut || {
                b += 1;
                Ok(())
            },
        ],
    );
    assert!(times.unwrap().iter().all(|time| *time > 0.0));
    assert!(a > 3 && b > 3);

    let mut calls = 0;
    let failed = medians(
        Budget::QUICK,
        &mut [&mut || {
            calls += 1;
            if calls == 5 { Err("five") } else { Ok(()) }
        }],
    );
    assert_eq!((failed, calls), (Err("five"), 5));
}

#[test]
fn the_median_is_in_the_middle() {
    assert_eq!(median(vec![9.0, 1.0, 5.0]), 5.0);
    assert_eq!(median(vec![2.0]), 2.0);
}
