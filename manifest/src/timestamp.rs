//! Times as `created_at` has them.

/// Whether the text is a time as RFC 3339 has it, in UTC, to the second, without leap seconds.
pub(crate) fn is_utc_second(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let bytes = text.as_bytes();
    let fits = |(&byte, &form): (&u8, &u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    if bytes.len() != FORM.len() || !bytes.iter().zip(FORM).all(fits) {
        return false;
    }
    let number =
        |from: usize, to: usize| bytes[from..to].iter().fold(0u32, |sum, &digit| sum * 10 + u32::from(digit - b'0'));
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month)
        && (1..=days).contains(&day)
        && number(11, 13) < 24
        && number(14, 16) < 60
        && number(17, 19) < 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_times_only() {
        for good in ["2026-01-18T00:00:00Z", "1970-01-01T23:59:59Z", "2024-02-29T12:00:00Z", "2000-02-29T12:00:00Z"] {
            assert!(is_utc_second(good), "{good}");
        }
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
            "2026-01-18T24:00:00Z",
            "2026-01-18T00:60:00Z",
            "2026-01-18T00:00:60Z",
            "2026-01-1éT00:00:00Z",
        ] {
            assert!(!is_utc_second(bad), "{bad}");
        }
    }
}
