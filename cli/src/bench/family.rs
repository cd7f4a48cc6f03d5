//! The known kernels: the meaning of their shapes, and the number of operations.

use kernelpack_host::abi::DType;

use super::{shape_arg::ShapeArg, tensor::Content};

/// The dimension of a head in rotary embeddings, where a row has that many values.
const HEAD: u32 = 128;
/// Values per block.
const BLOCK: u32 = 32;
/// The rank of a low-rank adapter.
const RANK: u32 = 16;

/// Kernels with the same shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `rows` rows of `dim` values, or of `blocks` blocks.
    Rows {
        /// Floating-point operations per value.
        flops: u64,
    },
    /// One batch of `seq` positions, each of `width` values in heads of 128.
    Heads {
        /// Floating-point operations per value.
        flops: u64,
    },
    /// `rows` rows, each from `din` to `dout` values through a rank of 16.
    Adapter,
}

impl Family {
    /// Returns the family of a kernel by its id; `None` if its symbols are not those of the family, since it is another
    /// kernel with the same id then.
    ///
    /// An exponential, a rounding or a comparison counts as one operation. RMSNorm squares, adds and scales twice;
    /// SwiGLU negates, exponentiates, adds, divides and multiplies; RoPE takes four products and two sums per pair;
    /// packing takes a maximum, a product and a rounding; unpacking takes a product. Tables of sines are not counted.
    pub(crate) fn of(id: &str, symbols: &[String]) -> Option<Self> {
        let family = match id {
            "rmsnorm_f32" | "rmsnorm_f16" => Self::Rows { flops: 4 },
            "swiglu_f32" | "swiglu_f16" => Self::Rows { flops: 5 },
            "kv_pack_q8" | "kv_pack_q4" => Self::Rows { flops: 3 },
            "kv_unpack_q8" | "kv_unpack_q4" => Self::Rows { flops: 1 },
            "rope_f32" | "rope_f16" => Self::Heads { flops: 3 },
            // Counts unpacking the blocks first, the rotation, and packing the results.
            "rope_q8" => Self::Heads { flops: 1 + 3 + 3 },
            "lora_apply_f32" | "lora_apply_f16" => Self::Adapter,
            _ => return None,
        };
        family.values(symbols, &family.shape(1, BLOCK).0).map(|_| family)
    }

    /// Returns the names of the extents of a shape.
    pub(crate) fn axes(self) -> &'static [&'static str] {
        match self {
            Self::Rows { .. } => &["rows", "dim"],
            Self::Heads { .. } => &["seq", "width"],
            Self::Adapter => &["rows", "din", "dout"],
        }
    }

    /// Returns the shape of `rows` rows of `width` values.
    pub(crate) fn shape(self, rows: u32, width: u32) -> ShapeArg {
        match self {
            Self::Rows { .. } | Self::Heads { .. } => ShapeArg(vec![rows, width]),
            Self::Adapter => ShapeArg(vec![rows, width, width]),
        }
    }

    /// Returns the values of these symbols at a shape; `None` if the shape has other axes, or if there are other
    /// symbols.
    pub(crate) fn values(self, symbols: &[String], shape: &[u32]) -> Option<Vec<u32>> {
        let named: Vec<(&str, u32)> = match (self, shape) {
            (Self::Rows { .. }, &[rows, dim]) => vec![("rows", rows), ("dim", dim), ("blocks", dim / BLOCK)],
            (Self::Heads { .. }, &[seq, width]) => {
                let dim = if width % HEAD == 0 { HEAD } else { width };
                vec![("batch", 1), ("seq", seq), ("heads", width / dim), ("dim", dim), ("blocks", dim / BLOCK)]
            }
            (Self::Adapter, &[rows, din, dout]) => vec![("rows", rows), ("din", din), ("dout", dout), ("r", RANK)],
            _ => return None,
        };
        let value = |symbol: &String| named.iter().find(|(name, _)| name == symbol).map(|(_, value)| *value);
        symbols.iter().map(value).collect()
    }

    /// Returns the values that a tensor is filled with.
    pub(crate) fn content(self, tensor: &str, dtype: DType) -> Content {
        match (self, tensor) {
            (Self::Heads { .. }, "freqs") if dtype == DType::F32 => Content::Angles,
            // Each call adds to the same tensor, which must stay within the range of f16.
            (Self::Adapter, "a" | "b") => Content::Noise(1.0 / 64.0),
            _ => Content::Noise(1.0),
        }
    }

    /// Returns the number of floating-point operations per call.
    pub(crate) fn flops(self, symbols: &[(String, u32)]) -> u64 {
        let value = |name: &str| symbols.iter().find(|(symbol, _)| symbol == name).map(|(_, value)| u64::from(*value));
        let or_one = |name| value(name).unwrap_or(1);
        let dim = value("dim").or(value("blocks").map(|blocks| blocks * u64::from(BLOCK))).unwrap_or(1);
        match self {
            Self::Rows { flops } => flops * or_one("rows") * dim,
            Self::Heads { flops } => flops * or_one("batch") * or_one("seq") * or_one("heads") * dim,
            Self::Adapter => 2 * or_one("rows") * or_one("r") * (or_one("din") + or_one("dout")),
        }
    }
}

#[cfg(test)]
mod tests;
