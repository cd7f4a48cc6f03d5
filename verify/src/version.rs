//! Versions as <https://semver.org> defines them, read in place.

use core::{cmp::Ordering, fmt};

/// A version. Build metadata is allowed but ignored in comparisons by precedence.
///
/// # Example: a release candidate is older than its release
/// ```
/// use kernelpack_verify::Version;
///
/// let (candidate, release) = (Version::parse("1.0.0-rc.1").unwrap(), Version::parse("1.0.0+linux").unwrap());
/// assert!(candidate.cmp_precedence(&release).is_lt());
/// assert!(Version::parse("1.0").is_none());
/// ```
#[derive(Clone, Copy)]
pub struct Version<'a> {
    text: &'a str,
    core: [u64; 3],
    pre: &'a str,
}

impl<'a> Version<'a> {
    /// Parses a version as strictly as the standard requires.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (rest, build) = split(text, '+');
        let (numbers, pre) = split(rest, '-');
        let mut parts = numbers.split('.');
        let core = [number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?];
        let identifier = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let pre_identifier = |part: &str| identifier(part) && (!is_number(part) || no_zeros_in_front(part));
        let fits = parts.next().is_none()
            && pre.is_none_or(|pre| pre.split('.').all(pre_identifier))
            && build.is_none_or(|build| build.split('.').all(identifier));
        fits.then_some(Self { text, core, pre: pre.unwrap_or_default() })
    }

    /// Compares two versions by precedence, the order of releases.
    pub fn cmp_precedence(&self, other: &Version<'_>) -> Ordering {
        self.core.cmp(&other.core).then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
            (false, false) => cmp_pre(self.pre, other.pre),
            (mine, others) => mine.cmp(&others),
        })
    }

    /// Returns the version as it was written.
    pub fn as_str(&self) -> &'a str {
        self.text
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(head, tail)| (head, Some(tail)))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn no_zeros_in_front(text: &str) -> bool {
    text == "0" || !text.starts_with('0')
}

fn number(text: &str) -> Option<u64> {
    // `parse` alone would accept a leading '+'.
    if is_number(text) && no_zeros_in_front(text) { text.parse().ok() } else { None }
}

fn cmp_pre(a: &str, b: &str) -> Ordering {
    let identifier = |a: &str, b: &str| match (is_number(a), is_number(b)) {
        // Without leading zeros, the longer number is the larger one, so numbers of any size can be compared.
        (true, true) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (false, false) => a.cmp(b),
        (a_is_number, _) => {
            if a_is_number {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    };
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) => match identifier(a, b) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
            (a, b) => return a.is_some().cmp(&b.is_some()),
        }
    }
}

impl fmt::Display for Version<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl fmt::Debug for Version<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({})", self.text)
    }
}

impl PartialEq for Version<'_> {
    /// Returns whether both are written identically, including build metadata.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Version<'_> {}
