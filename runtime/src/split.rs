//! Divides a call into several, each over a range of the leading axis.

use std::ops::Range;

use kernelpack_abi::{Dim, Role, Shape, Signature, TENSOR_ALIGN, TensorArg, TensorData};

/// Calls whose divided tensors have fewer bytes stay whole: they take about as long as waking a thread.
const LEAST_BYTES: u64 = 256 << 10;

/// How a call is divided: each part has a range of every tensor whose leading axis is the symbol, and every other
/// tensor as a whole.
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
    /// A call that stays whole.
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

    /// The number of parts.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The tensors of a part. Tensors without bytes are the same as in the whole call.
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
mod tests {
    use super::*;
    use kernelpack_abi::{DType, Expr, TensorSpec};

    const fn tensor(name: &'static str, dtype: DType, role: Role, dims: &'static [Dim]) -> TensorSpec<'static> {
        TensorSpec { name, dtype, role, optional: false, dims, len: Expr(&[]) }
    }

    const SIGNATURE: Signature<'static> = Signature {
        symbols: &["rows", "dim"],
        tensors: &[
            tensor("x", DType::F32, Role::In, &[Dim::Symbol(0), Dim::Symbol(1)]),
            tensor("weight", DType::F32, Role::In, &[Dim::Symbol(1)]),
            tensor("y", DType::F16, Role::Out, &[Dim::Symbol(0), Dim::Symbol(1)]),
        ],
        params: &[],
    };

    fn tensors(rows: usize, dim: usize) -> Vec<TensorArg<'static>> {
        let shapes = [vec![rows, dim], vec![dim], vec![rows, dim]];
        SIGNATURE
            .tensors
            .iter()
            .zip(shapes)
            .map(|(spec, dims)| {
                let like = TensorArg { dtype: spec.dtype, shape: Shape::default(), data: TensorData::In(&[]) };
                outline(spec.role, &like, Shape::new(&dims).unwrap())
            })
            .collect()
    }

    fn ranges(rows: usize, dim: usize, parts: usize) -> Option<Vec<Range<u32>>> {
        Plan::new(&SIGNATURE, &[0], &tensors(rows, dim), parts).map(|plan| plan.ranges)
    }

    #[test]
    fn parts_cover_the_axis_and_are_aligned() {
        assert_eq!(ranges(256, 4096, 2), Some(vec![0..128, 128..256]));
        assert_eq!(ranges(5, 65536, 3), Some(vec![0..1, 1..3, 3..5]));
        // A row of y has 2 x 4097 bytes, so parts start at multiples of eight rows.
        assert_eq!(ranges(20, 4097, 4), Some(vec![0..8, 8..16, 16..20]));
        assert_eq!(ranges(2, 1 << 20, 8), Some(vec![0..1, 1..2]));
    }

    #[test]
    fn what_is_small_or_may_not_be_divided_stays_whole() {
        assert_eq!(ranges(256, 16, 2), None);
        assert_eq!(ranges(1, 1 << 20, 2), None);
        assert_eq!(ranges(0, 4096, 2), None);
        assert_eq!(ranges(256, 4096, 1), None);
        assert_eq!(Plan::new(&SIGNATURE, &[], &tensors(256, 4096), 2), None);
        assert_eq!(Plan::new(&SIGNATURE, &[1], &tensors(256, 4096), 2), None, "dim is not outermost");
    }

    #[test]
    fn pieces_are_ranges_of_the_tensors_that_have_the_symbol() {
        let tensors = tensors(20, 4097);
        let plan = Plan::new(&SIGNATURE, &[0], &tensors, 4).unwrap();
        let piece = |dims: &[usize], offset| Piece { shape: Shape::new(dims).unwrap(), offset };
        let all = [piece(&[20, 4097], 0), piece(&[4097], 0), piece(&[20, 4097], 0)];
        assert_eq!((Plan::whole().len(), Plan::whole().pieces(&SIGNATURE, &tensors, 0)), (1, all.to_vec()));
        let last = [piece(&[4, 4097], 16 * 4097 * 4), piece(&[4097], 0), piece(&[4, 4097], 16 * 4097 * 2)];
        assert_eq!(plan.pieces(&SIGNATURE, &tensors, 2), last);
    }
}
