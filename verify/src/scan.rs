//! Reads JSON in place, without a tree or allocation, and with bounded recursion.
//!
//! A [`Scanner`] accepts JSON as RFC 8259 defines it, provided that no object has a key twice, however the keys are
//! escaped. Values that are not used are checked like the others. Numbers may have any size.

use crate::{
    JsonFault, Refused,
    text::{self, Text},
};

/// The most levels of nested arrays and objects. Manifests need six; each level takes some stack.
const MAX_DEPTH: u32 = 12;

/// A field of an object: its key, and whether it is required.
pub(crate) type Field = (&'static str, bool);

/// A place in a JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    /// Whether to look for repeated keys; false if the text was already searched for them.
    unique: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, unique: true }
    }

    /// Returns the scanner's byte offset in the text.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn refuse(&self, fault: JsonFault) -> Refused {
        Refused::Json { at: self.at, fault }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Returns the next byte that is not white space; the scanner stops before it.
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
        self.byte()
    }

    fn take(&mut self, byte: u8) -> Result<(), Refused> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.refuse(JsonFault::Syntax))
        }
    }

    /// Checks that only white space follows.
    pub(crate) fn end(&mut self) -> Result<(), Refused> {
        if self.peek().is_none() { Ok(()) } else { Err(self.refuse(JsonFault::Syntax)) }
    }

    fn rest(&self) -> &'a str {
        // The place is always a character boundary, since the scanner steps over ASCII and whole characters only.
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn string(&mut self) -> Result<Text<'a>, Refused> {
        self.take(b'"')?;
        let start = self.at;
        loop {
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    match self.byte() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                        Some(b'u') => {
                            self.at += 1;
                            let rest = self.rest();
                            let (_, tail) = text::unicode(rest).ok_or(self.refuse(JsonFault::Syntax))?;
                            self.at += rest.len() - tail.len();
                        }
                        _ => return Err(self.refuse(JsonFault::Syntax)),
                    }
                }
                // The bytes of multi-byte characters are all in this range.
                Some(0x20..) => self.at += 1,
                _ => return Err(self.refuse(JsonFault::Syntax)),
            }
        }
        let raw = self.text.get(start..self.at).unwrap_or_default();
        self.at += 1;
        Ok(Text::new(raw))
    }

    /// Reads a string without escapes, as every string that a device interprets must be.
    pub(crate) fn plain(&mut self) -> Result<&'a str, Refused> {
        let start = *self;
        self.string()?.plain().ok_or(start.refuse(JsonFault::Escaped))
    }

    /// Reads a whole number, written without a fraction or exponent.
    pub(crate) fn u32(&mut self) -> Result<u32, Refused> {
        self.peek();
        let start = *self;
        self.number()?;
        let digits = self.text.get(start.at..self.at).unwrap_or_default();
        // `parse` would accept a leading '+', but `number` has refused it.
        digits.parse().map_err(|_| start.refuse(JsonFault::NotU32))
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Refused> {
        if self.peek() == Some(b't') { self.word("true").map(|()| true) } else { self.word("false").map(|()| false) }
    }

    fn word(&mut self, word: &str) -> Result<(), Refused> {
        if self.rest().starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.refuse(JsonFault::Syntax))
        }
    }

    fn digits(&mut self) -> Result<(), Refused> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.refuse(JsonFault::Syntax)) }
    }

    fn number(&mut self) -> Result<(), Refused> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        // A digit after a leading 0 is refused later, since nothing accepts it after a value.
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Reads any value and returns its text.
    pub(crate) fn value(&mut self) -> Result<&'a str, Refused> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'{') => self.map(|value, _| value.value().map(|_| ()))?,
            Some(b'[') => self.array(|value| value.value().map(|_| ()))?,
            Some(b'"') => self.string().map(|_| ())?,
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            _ => self.number()?,
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    /// Reads the items between two brackets.
    fn items(
        &mut self,
        [open, close]: [u8; 2],
        mut item: impl FnMut(&mut Self) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        self.take(open)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.refuse(JsonFault::TooDeep));
        }
        if self.peek() != Some(close) {
            loop {
                item(self)?;
                if self.peek() != Some(b',') {
                    break;
                }
                self.at += 1;
            }
        }
        self.take(close)?;
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array; `item` reads each item.
    pub(crate) fn array(&mut self, item: impl FnMut(&mut Self) -> Result<(), Refused>) -> Result<(), Refused> {
        self.items(*b"[]", item)
    }

    /// Reads an object with any keys; `value` reads each value.
    pub(crate) fn map(
        &mut self,
        mut value: impl FnMut(&mut Self, Text<'a>) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        self.peek();
        let object = *self;
        self.items(*b"{}", |entry| {
            entry.peek();
            let start = *entry;
            let key = entry.string()?;
            if entry.unique && object.has_key_before(start.at, key) {
                return Err(start.refuse(JsonFault::RepeatedKey));
            }
            entry.take(b':')?;
            value(entry, key)
        })
    }

    /// Returns whether an earlier entry of this object, before `end`, has this key.
    fn has_key_before(mut self, end: usize, key: Text<'_>) -> bool {
        self.unique = false;
        let mut found = false;
        // The error only stops the search, at `end` or at the key.
        let _ = self.items(*b"{}", |entry| {
            if entry.peek().is_none() || entry.at >= end {
                return Err(entry.refuse(JsonFault::Syntax));
            }
            found = entry.string()? == key;
            if found {
                return Err(entry.refuse(JsonFault::RepeatedKey));
            }
            entry.take(b':')?;
            entry.value().map(|_| ())
        });
        found
    }

    /// Reads an object with these fields and no others; `value` reads the value of the field with the given index.
    pub(crate) fn fields(
        &mut self,
        fields: &'static [Field],
        mut value: impl FnMut(&mut Self, usize) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        self.peek();
        let start = *self;
        let mut seen = 0_u32;
        self.items(*b"{}", |entry| {
            entry.peek();
            let start = *entry;
            let key = entry.string()?;
            let index = fields.iter().position(|(name, _)| key.is(name));
            let index = index.ok_or(start.refuse(JsonFault::UnknownField))?;
            if seen >> index & 1 == 1 {
                return Err(start.refuse(JsonFault::RepeatedKey));
            }
            seen |= 1 << index;
            entry.take(b':')?;
            value(entry, index)
        })?;
        match fields.iter().enumerate().find(|(index, (_, required))| *required && seen >> index & 1 == 0) {
            Some((_, (field, _))) => Err(Refused::Missing { at: start.at, field }),
            None => Ok(()),
        }
    }
}
