//! Times in the files of this crate: whole seconds in UTC.

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The last second that RFC 3339 can express, 9999-12-31T23:59:59Z.
const LATEST: u64 = 253_402_300_799;
const DAY: u64 = 86_400;

/// A second from 1970 to 9999, always written in RFC 3339's UTC form, such as `2026-01-18T00:00:00Z`.
///
/// # Example: a time that is written and read
/// ```
/// use kernelpack_manifest::Timestamp;
///
/// let time: Timestamp = "2026-01-18T00:00:00Z".parse()?;
/// assert_eq!(time.to_unix(), 1_768_694_400);
/// assert_eq!(Timestamp::from_unix(1_768_694_401).map(|time| time.to_string()).as_deref(), Some("2026-01-18T00:00:01Z"));
/// assert!("yesterday".parse::<Timestamp>().is_err());
/// # Ok::<(), kernelpack_manifest::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The first second of 1970.
    pub const EPOCH: Self = Self(0);

    /// Returns the time this many seconds after 1970 began, not counting leap seconds.
    pub fn from_unix(seconds: u64) -> Option<Self> {
        (seconds <= LATEST).then_some(Self(seconds))
    }

    /// Returns the second that contains this time; `None` before 1970 and after 9999, which no working clock shows.
    pub fn of(time: SystemTime) -> Option<Self> {
        Self::from_unix(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
    }

    /// Returns the seconds since 1970 began, not counting leap seconds.
    pub fn to_unix(self) -> u64 {
        self.0
    }
}

/// The reason why a text is not a [`Timestamp`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a timestamp; write a time in UTC from 1970 on, such as \"2026-01-18T00:00:00Z\"")]
pub struct TimestampError {
    /// The text.
    pub text: String,
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        read(text).map(Self).ok_or_else(|| TimestampError { text: text.to_owned() })
    }
}

fn read(text: &str) -> Option<u64> {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let bytes = text.as_bytes();
    let fits = |(&byte, &form): (&u8, &u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    if bytes.len() != FORM.len() || !bytes.iter().zip(FORM).all(fits) {
        return None;
    }
    let number =
        |from: usize, to: usize| bytes[from..to].iter().fold(0, |sum, &digit| sum * 10 + u64::from(digit - b'0'));
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let real = year >= 1970
        && (1..=12).contains(&month)
        && (1..=days).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    real.then(|| days_since_1970(year, month, day) * DAY + hour * 3_600 + minute * 60 + second)
}

/// Implements Howard Hinnant's `days_from_civil`.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    // Years that start in March have their leap day at the end, and all eras of 400 such years are alike.
    let year = year - u64::from(month <= 2);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (era, of_era) = (year / 400, year % 400);
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl fmt::Display for Timestamp {
    /// Converts days to a date with Howard Hinnant's `civil_from_days`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, of_day) = (self.0 / DAY + 719_468, self.0 % DAY);
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march_based = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_based + 2) / 5 + 1;
        let month = if march_based < 10 { march_based + 3 } else { march_based - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
