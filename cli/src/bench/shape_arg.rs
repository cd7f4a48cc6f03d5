//! Extents on the command line and in reports: `64x4096`.

use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
};

/// The extents of a workload, none of them zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShapeArg(pub(crate) Vec<u32>);

impl FromStr for ShapeArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let extents = text.split('x').map(|extent| extent.parse().ok().filter(|&extent| extent > 0));
        extents
            .collect::<Option<_>>()
            .map(Self)
            .ok_or("write extents of 1 or more with x between them, such as 64x4096")
    }
}

impl Display for ShapeArg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("scalar");
        }
        for (axis, extent) in self.0.iter().enumerate() {
            write!(f, "{}{extent}", if axis == 0 { "" } else { "x" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
