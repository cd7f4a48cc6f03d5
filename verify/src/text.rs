//! A JSON string, read in place, with its escapes.

use core::fmt;

/// The text between the quotes of a well-formed JSON string.
///
/// Two texts are equal if their unescaped characters are, however they are escaped.
#[derive(Clone, Copy)]
pub struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    pub(crate) fn new(raw: &'a str) -> Self {
        Self(raw)
    }

    /// Returns the text itself, if it contains no escapes.
    pub fn plain(self) -> Option<&'a str> {
        (!self.0.contains('\\')).then_some(self.0)
    }

    /// Returns the unescaped characters.
    pub fn chars(self) -> impl Iterator<Item = char> {
        let mut rest = self.0.chars();
        core::iter::from_fn(move || match rest.next()? {
            '\\' => Some(match rest.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let (char, tail) = unicode(rest.as_str())?;
                    rest = tail.chars();
                    char
                }
                literal => literal,
            }),
            char => Some(char),
        })
    }

    /// Returns whether the unescaped characters are those of `text`.
    pub fn is(self, text: &str) -> bool {
        self.chars().eq(text.chars())
    }
}

/// Decodes the digits after `\u`, which may be a pair of surrogates, and returns the character and the rest of the
/// text.
pub(crate) fn unicode(text: &str) -> Option<(char, &str)> {
    let (first, rest) = unit(text)?;
    if !(0xd800..=0xdbff).contains(&first) {
        return Some((char::from_u32(first)?, rest));
    }
    let (second @ 0xdc00..=0xdfff, rest) = unit(rest.strip_prefix("\\u")?)? else { return None };
    Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?, rest))
}

fn unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let value = digits.chars().try_fold(0, |value, digit| Some(value << 4 | digit.to_digit(16)?))?;
    Some((value, rest))
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.chars().eq(other.chars())
    }
}

impl Eq for Text<'_> {}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|char| fmt::Write::write_char(f, char))
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}
