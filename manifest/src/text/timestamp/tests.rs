use std::time::Duration;

use super::*;

#[test]
fn texts_and_seconds_are_those_of_the_calendar() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00Z"),
        (86_399, "1970-01-01T23:59:59Z"),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (1_709_164_800, "2024-02-29T00:00:00Z"),
        (1_768_694_400, "2026-01-18T00:00:00Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (LATEST, "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(text.parse(), Ok(Timestamp(seconds)), "{text}");
        assert_eq!(Timestamp(seconds).to_string(), text);
    }
    // Tries every day until after the year 2400, each with its own time of day.
    for day in 0..160_000 {
        let time = Timestamp(day * DAY + day % DAY);
        assert_eq!(time.to_string().parse(), Ok(time));
    }
}

#[test]
fn real_times_only() {
    for bad in [
        "",
        "2026-01-18",
        "2026-01-18 00:00:00Z",
        "2026-01-18T00:00:00",
        "2026-01-18T00:00:00z",
        "2026-01-18T00:00:00+00:00",
        "2026-01-18T00:00:00.5Z",
        "2026-13-18T00:00:00Z",
        "2026-00-18T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "2026-01-18T24:00:00Z",
        "2026-01-18T00:60:00Z",
        "2026-01-18T00:00:60Z",
        "2026-01-1éT00:00:00Z",
    ] {
        assert_eq!(bad.parse::<Timestamp>(), Err(TimestampError { text: bad.into() }), "{bad}");
    }
}

#[test]
fn clocks_out_of_range_give_no_time() {
    let at = |seconds, nanos| UNIX_EPOCH + Duration::new(seconds, nanos);
    assert_eq!(Timestamp::of(at(5, 999_999_999)), Some(Timestamp(5)));
    assert_eq!(Timestamp::of(UNIX_EPOCH), Some(Timestamp(0)));
    // This is the smallest difference that Windows can represent.
    assert_eq!(Timestamp::of(UNIX_EPOCH - Duration::from_nanos(100)), None);
    assert_eq!(Timestamp::of(at(LATEST, 999_999_999)), Some(Timestamp(LATEST)));
    assert_eq!(Timestamp::of(at(LATEST + 1, 0)), None);
}
