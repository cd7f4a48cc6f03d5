use super::*;
use crate::{DType, Role, TensorSpec};
use std::string::ToString;
use std::vec::Vec;

const ROWS: Dim = Dim::Symbol(0);
const DIM: Dim = Dim::Symbol(1);
const fn tensor(name: &'static str, role: Role, dims: &'static [Dim]) -> TensorSpec<'static> {
    TensorSpec { name, dtype: DType::F32, role, optional: false, dims, len: Expr(&[]) }
}
const SIGNATURE: Signature<'static> = Signature {
    symbols: &["rows", "dim"],
    tensors: &[
        tensor("half", Role::In, &[Dim::Div(1, 2)]),
        tensor("x", Role::In, &[ROWS, DIM]),
        tensor("y", Role::Out, &[ROWS, Dim::Fixed(3)]),
    ],
    params: &[],
};

fn bind(shapes: [Option<&[usize]>; 3]) -> Result<(Option<u32>, Option<u32>), std::string::String> {
    let shapes: Vec<_> = shapes.iter().map(|shape| shape.map(|dims| Shape::new(dims).unwrap())).collect();
    let tensors = SIGNATURE.tensors.iter().zip(&shapes).map(|(tensor, shape)| (tensor.dims, *shape));
    Symbols::bind(tensors)
        .map(|symbols| (symbols.value(0), symbols.value(1)))
        .map_err(|error| error.describe(&SIGNATURE).to_string())
}

#[test]
fn plain_symbols_bind_before_divided_ones() {
    assert_eq!(bind([Some(&[4]), Some(&[2, 8]), Some(&[2, 3])]), Ok((Some(2), Some(8))));
    assert_eq!(bind([Some(&[4]), None, None]), Ok((None, Some(8))));
    assert_eq!(bind([None, None, None]), Ok((None, None)));
}

#[test]
fn both_ways_to_bind_give_the_same() {
    let shape = |dims: &[usize]| Some(Shape::new(dims).unwrap());
    for half in [None, shape(&[4]), shape(&[3])] {
        for x in [None, shape(&[2, 8]), shape(&[2, 7]), shape(&[2])] {
            for y in [None, shape(&[2, 3]), shape(&[1, 3]), shape(&[2, 4])] {
                let tensors = SIGNATURE.tensors.iter().map(|tensor| tensor.dims).zip([half, x, y]);
                let values = |symbols: Symbols| [symbols.value(0), symbols.value(1)];
                let each = Symbols::bind_each(tensors.clone()).map(values);
                if let Some(agreeing) = Symbols::bind_agreeing(tensors).map(values) {
                    assert_eq!(each, Ok(agreeing));
                } else {
                    // If `dim` never appears as a plain symbol, the fast path returns `None`.
                    assert!(each.is_err() || x.is_none(), "{half:?} {x:?} {y:?}");
                }
            }
        }
    }
}

#[test]
fn every_disagreement_names_the_tensor_and_both_values() {
    let said = |shapes| bind(shapes).unwrap_err();
    assert_eq!(said([Some(&[4]), Some(&[2, 10]), None]), "input \"half\" needs dim/2 = 5 along axis 0, not 4");
    assert_eq!(said([Some(&[4]), Some(&[2, 9]), None]), "input \"half\" needs dim to be a multiple of 2, not 9");
    assert_eq!(said([None, Some(&[2]), None]), "input \"x\" needs 2 axes (rows, dim), not 1");
    assert_eq!(said([None, Some(&[2, 8]), Some(&[2, 4])]), "output \"y\" needs 3 along axis 1, not 4");
}

#[test]
fn shapes_are_inferred() {
    let tensors = [(&[ROWS, DIM][..], Some(Shape::new(&[5, 64]).unwrap()))];
    let symbols = Symbols::bind(tensors.into_iter()).unwrap();
    assert_eq!(symbols.shape(&[ROWS, Dim::Div(1, 32)]).unwrap(), Shape::new(&[5, 2]).unwrap());
    assert_eq!(symbols.shape(&[Dim::Symbol(2)]), Err((0, Disagreement::Unbound { symbol: 2 })));
    assert_eq!(symbols.shape(&[Dim::Mul(1, u32::MAX)]), Err((0, Disagreement::TooLarge)));
}
