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
