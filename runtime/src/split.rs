//! Divides a call into several, each over a range of the leading axis.

use std::ops::Range;

use kernelpack_abi::{Dim, Role, Shape, Signature, TENSOR_ALIGN, TensorArg, TensorData};

/// Calls whose divided tensors have fewer bytes stay whole: they take about as long as waking a thread.
const LEAST_BYTES: u64 = 256 << 10;

/// A plan for dividing a call into parts, each of which has a range of every tensor whose leading axis is the symbol,
/// and every other tensor as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// None if the call stays whole.
    symbol: Option<u8>,
    ranges: Vec<Range<u32>>,
}

/// A tensor of a part, which is a range of the bytes of the whole tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Its extents.
    pub(crate) shape: Shape,
    /// Where it starts in the whole tensor, a multiple of [`TENSOR_ALIGN`].
    pub(crate) offset: u32,
}

impl Plan {
    /// Returns the plan of a call that stays whole.
    pub(crate) fn whole() -> Self {
        Self { symbol: None, ranges: std::iter::once(0..0).collect() }
    }

    /// Divides a checked call into at most `parts` parts, by one of the symbols that the kernel's author allows; `None`
    /// if the call is better left whole.
    pub(crate) fn new(
        signature: &Signature<'_>,
        symbols: &[u8],
        tensors: &[TensorArg<'_>],
        parts: usize,
    ) -> Option<Self> {
        // The symbol with the longest axis wins.
        let plans = symbols.iter().filter_map(|&symbol| Self::by(signature, symbol, tensors, parts));
        plans.max_by_key(|plan| plan.ranges.last().map_or(0, |last| last.end))
    }

    fn by(signature: &Signature<'_>, symbol: u8, tensors: &[TensorArg<'_>], parts: usize) -> Option<Self> {
        signature.is_split_by(symbol).ok()?;
        let (mut extent, mut step, mut bytes) = (None, 1u32, 0);
        for (spec, tensor) in signature.tensors.iter().zip(tensors) {
            if spec.dims.first() == Some(&Dim::Symbol(symbol)) && has_bytes(tensor) {
                let rows = *tensor.shape.dims().first()?;
                let row_bytes = tensor.shape.bytes(tensor.dtype) / u64::from(rows.max(1));
                extent = Some(rows);
                bytes += row_bytes * u64::from(rows);
                // A power of two, because the alignment is one.
                step = step.max(TENSOR_ALIGN >> row_bytes.trailing_zeros().min(TENSOR_ALIGN.trailing_zeros()));
            }
        }
        let steps = extent?.div_ceil(step);
        let parts = u32::try_from(parts).unwrap_or(u32::MAX).min(steps);
        if parts < 2 || bytes < LEAST_BYTES {
            return None;
        }
        let bound = |part: u32| (u64::from(steps) * u64::from(part) / u64::from(parts)) as u32 * step;
        let ranges = (0..parts).map(|part| bound(part)..bound(part + 1).min(extent.unwrap_or(0))).collect();
        Some(Self { symbol: Some(symbol), ranges })
    }

    /// Returns the number of parts.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Returns the tensors of a part. Tensors without bytes are the same as in the whole call.
    pub(crate) fn pieces(&self, signature: &Signature<'_>, tensors: &[TensorArg<'_>], part: usize) -> Vec<Piece> {
        let range = self.ranges.get(part).cloned().unwrap_or_default();
        let piece = |(spec, tensor): (&kernelpack_abi::TensorSpec<'_>, &TensorArg<'_>)| {
            let whole = Piece { shape: tensor.shape, offset: 0 };
            let divided = self.symbol.is_some_and(|symbol| spec.dims.first() == Some(&Dim::Symbol(symbol)));
            if !divided || !has_bytes(tensor) {
                return whole;
            }
            let mut dims: Vec<usize> = tensor.shape.dims().iter().map(|&dim| dim as usize).collect();
            let Some(rows) = dims.first_mut() else { return whole };
            let row_bytes = tensor.shape.bytes(tensor.dtype) / (*rows).max(1) as u64;
            *rows = range.len();
            // The offset fits, because the whole tensor's size does.
            let offset = u32::try_from(row_bytes * u64::from(range.start)).unwrap_or(u32::MAX);
            Shape::new(&dims).map_or(whole, |shape| Piece { shape, offset })
        };
        signature.tensors.iter().zip(tensors).map(piece).collect()
    }
}

fn has_bytes(tensor: &TensorArg<'_>) -> bool {
    !matches!(tensor.data, TensorData::Absent | TensorData::Scratch)
}

/// Like `tensor`, but without its bytes and in another shape, for laying out a part.
pub(crate) fn outline(role: Role, tensor: &TensorArg<'_>, shape: Shape) -> TensorArg<'static> {
    let data = match (&tensor.data, role) {
        (TensorData::Absent, _) => TensorData::Absent,
        (_, Role::Scratch) => TensorData::Scratch,
        (_, Role::In) => TensorData::In(&[]),
        (_, Role::Out) => TensorData::Out(&mut []),
        (_, Role::InOut) => TensorData::InOut(&mut []),
    };
    TensorArg { dtype: tensor.dtype, shape, data }
}

#[cfg(test)]
mod tests;
