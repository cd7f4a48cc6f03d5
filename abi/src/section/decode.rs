//! Reads the custom section.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use super::{MAGIC, OLDEST_SCHEMA_VERSION, SCHEMA_VERSION};
use crate::{
    ABI_VERSION, DType, Dim, Expr, KernelSpecBuf, Lifecycle, MAX_PARAMS, MAX_RANK, MAX_SYMBOLS, MAX_TENSORS, Op,
    ParamSpecBuf, ParamType, ParamValue, ResourceLimits, Role, SignatureBuf, TensorSpecBuf,
};

/// One kernel of a module, as its custom section describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// The crate that wrote the entry, `name version`.
    pub writer: String,
    /// The kernel.
    pub spec: KernelSpecBuf,
    /// The bytes of the entry, so that a packer can copy them unchanged.
    pub bytes: &'a [u8],
}

/// Reads the content of a custom section: an entry for each kernel.
///
/// # Errors
/// An entry is malformed, or has a schema or ABI version that this build does not know. Returns no entry unless all of
/// them can be read.
pub fn decode(section: &[u8]) -> Result<Vec<Entry<'_>>, SectionError> {
    let mut entries = Vec::new();
    let mut rest = section;
    while !rest.is_empty() {
        let mut reader = Reader { rest, at: section.len() - rest.len() };
        if reader.take(4)? != MAGIC {
            return Err(SectionError::Malformed { at: reader.at - 4, what: "an entry does not start with \"KPSP\"" });
        }
        let size = reader.u32()? as usize;
        let bytes = rest
            .get(..size)
            .filter(|bytes| bytes.len() >= 12)
            .ok_or(SectionError::Malformed { at: reader.at - 4, what: "an entry is longer than the section" })?;
        let start = section.len() - rest.len();
        rest = &rest[size..];
        let mut reader = Reader { rest: &bytes[8..], at: start + 8 };
        let (schema, abi) = (reader.u16()?, reader.u16()?);
        let writer = reader.text()?;
        if !(OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION).contains(&schema) {
            return Err(SectionError::UnknownSchema { found: schema, known: SCHEMA_VERSION, writer });
        }
        if u32::from(abi) != ABI_VERSION {
            return Err(SectionError::UnknownAbi { found: abi, known: ABI_VERSION as u16, writer });
        }
        let spec = reader.spec(schema)?;
        if !reader.rest.is_empty() {
            return Err(reader.malformed("an entry has bytes after its end"));
        }
        entries.push(Entry { writer, spec, bytes });
    }
    Ok(entries)
}

struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn malformed(&self, what: &'static str) -> SectionError {
        SectionError::Malformed { at: self.at, what }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], SectionError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(self.malformed("the section ends too early"))?;
        self.rest = rest;
        self.at += len;
        Ok(head)
    }

    fn u8(&mut self) -> Result<u8, SectionError> {
        Ok(self.take(1)?[0])
    }

    fn bool(&mut self) -> Result<bool, SectionError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.malformed("a flag is neither 0 nor 1")),
        }
    }

    fn u16(&mut self) -> Result<u16, SectionError> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Result<u32, SectionError> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn text(&mut self) -> Result<String, SectionError> {
        let len = self.u16()?;
        let bytes = self.take(usize::from(len))?;
        core::str::from_utf8(bytes).map(ToString::to_string).map_err(|_| self.malformed("a text is not UTF-8"))
    }

    fn list<T>(
        &mut self,
        max: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, SectionError>,
    ) -> Result<Vec<T>, SectionError> {
        let count = usize::from(self.u8()?);
        if count > max {
            return Err(self.malformed("a list is longer than the ABI allows"));
        }
        (0..count).map(|_| item(self)).collect()
    }

    fn spec(&mut self, schema: u16) -> Result<KernelSpecBuf, SectionError> {
        let mut spec = KernelSpecBuf {
            id: self.text()?,
            name: self.text()?,
            description: self.text()?,
            category: self.text()?,
            family: self.text()?,
            entry_point: self.text()?,
            fallback: self.text()?,
            limits: ResourceLimits {
                max_memory_pages: self.u32()?,
                max_epoch_ticks: self.u32()?,
                max_table_elements: self.u32()?,
                max_instances: self.u32()?,
                max_stack_bytes: self.u32()?,
            },
            lifecycle: Lifecycle { init: self.bool()?, cleanup: self.bool()? },
            forward: self.signature()?,
            backward: if self.bool()? { Some(self.signature()?) } else { None },
            split: Vec::new(),
        };
        if schema > 2 {
            let known = spec.forward.symbols.len();
            spec.split = self.list(MAX_SYMBOLS, |reader| {
                let symbol = reader.u8()?;
                let is_known = usize::from(symbol) < known;
                if is_known { Ok(symbol) } else { Err(reader.malformed("a symbol is not declared")) }
            })?;
        }
        Ok(spec)
    }

    fn signature(&mut self) -> Result<SignatureBuf, SectionError> {
        let symbols = self.list(MAX_SYMBOLS, Self::text)?;
        let known = symbols.len();
        let tensors = self.list(MAX_TENSORS, |reader| reader.tensor(known))?;
        let params = self.list(MAX_PARAMS, Self::param)?;
        Ok(SignatureBuf { symbols, tensors, params })
    }

    fn tensor(&mut self, symbols: usize) -> Result<TensorSpecBuf, SectionError> {
        let name = self.text()?;
        let dtype = DType::from_code(self.u8()?).ok_or(self.malformed("a data type is unknown"))?;
        let role = Role::from_code(self.u8()?).ok_or(self.malformed("a role is unknown"))?;
        let optional = self.bool()?;
        let dims = self.list(MAX_RANK, |reader| reader.dim(symbols))?;
        let len = self.list(usize::from(u8::MAX), |reader| reader.op(symbols))?;
        if (role == Role::Scratch) == len.is_empty() || (role == Role::Scratch && !dims.is_empty()) {
            return Err(self.malformed("a tensor that is not scratch has a length, or a scratch tensor has none"));
        }
        if !len.is_empty() && !is_well_formed(Expr(&len)) {
            return Err(self.malformed("a scratch length is not an expression"));
        }
        if optional && role != Role::In {
            return Err(self.malformed("a tensor that is not an input is optional"));
        }
        Ok(TensorSpecBuf { name, dtype, role, optional, dims, len })
    }

    fn symbol(&self, index: u32, symbols: usize) -> Result<u8, SectionError> {
        u8::try_from(index)
            .ok()
            .filter(|index| usize::from(*index) < symbols)
            .ok_or(self.malformed("a shape uses a symbol that is not declared"))
    }

    fn dim(&mut self, symbols: usize) -> Result<Dim, SectionError> {
        let (tag, symbol, number) = (self.u8()?, self.u8()?, self.u32()?);
        // Fields that a tag does not use must be zero, so that each spec has exactly one encoding.
        Ok(match tag {
            0 if symbol == 0 => Dim::Fixed(number),
            1 if number == 0 => Dim::Symbol(self.symbol(symbol.into(), symbols)?),
            2 if number > 0 => Dim::Div(self.symbol(symbol.into(), symbols)?, number),
            3 if number > 0 => Dim::Mul(self.symbol(symbol.into(), symbols)?, number),
            _ => return Err(self.malformed("an extent is unknown")),
        })
    }

    fn op(&mut self, symbols: usize) -> Result<Op, SectionError> {
        let (tag, number) = (self.u8()?, self.u32()?);
        Ok(match tag {
            0 => Op::Const(number),
            1 => Op::Symbol(self.symbol(number, symbols)?),
            2 if number == 0 => Op::Add,
            3 if number == 0 => Op::Sub,
            4 if number == 0 => Op::Mul,
            5 if number == 0 => Op::Div,
            _ => return Err(self.malformed("a step of a scratch length is unknown")),
        })
    }

    fn param(&mut self) -> Result<ParamSpecBuf, SectionError> {
        let name = self.text()?;
        let ty = ParamType::from_code(self.u8()?).ok_or(self.malformed("a parameter type is unknown"))?;
        let default = if self.bool()? {
            let bits = self.u32()?;
            Some(ParamValue::from_bits(ty, bits).ok_or(self.malformed("a default is not of its type"))?)
        } else {
            None
        };
        Ok(ParamSpecBuf { name, ty, default })
    }
}

/// Returns whether an expression is well-formed; its arithmetic may still fail for some values of symbols.
fn is_well_formed(expr: Expr<'_>) -> bool {
    expr.eval(|_| Some(1)) != Err(crate::ExprError::Malformed)
}

/// The reason why the bytes of a custom section are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SectionError {
    /// The bytes do not follow the schema that they announce.
    Malformed {
        /// Offset in the section.
        at: usize,
        /// The fault at that place.
        what: &'static str,
    },
    /// The payload has a schema that this build does not know.
    UnknownSchema {
        /// The version found.
        found: u16,
        /// The version that this build knows.
        known: u16,
        /// The crate that wrote the entry.
        writer: String,
    },
    /// The guest was built for another ABI.
    UnknownAbi {
        /// The version found.
        found: u16,
        /// The version that this build knows.
        known: u16,
        /// The crate that wrote the entry.
        writer: String,
    },
}

impl fmt::Display for SectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, found, known, writer) = match self {
            Self::Malformed { at, what } => return write!(f, "malformed at byte {at} of the section: {what}"),
            Self::UnknownSchema { found, known, writer } => ("schema", found, known, writer),
            Self::UnknownAbi { found, known, writer } => ("ABI", found, known, writer),
        };
        write!(f, "\"{writer}\" wrote it with {what} version {found}, but this build reads version {known}; ")?;
        f.write_str(if found > known {
            "use a newer kernelpack"
        } else {
            "build the crate with the kernelpack-guest that belongs to this kernelpack"
        })
    }
}

impl core::error::Error for SectionError {}
