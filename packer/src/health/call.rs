//! The calls that `kernelpack_guest`'s reference program reads, and its answers.

use std::iter;

use kernelpack_abi::{
    Role, Signature, Status, TensorArg, TensorData,
    layout::Cursor,
    params::{self, TensorEntry},
};
use kernelpack_manifest::{HealthVector, NamedTensor};

/// Encodes the call of a vector with the layout of a sandbox's memory: a params block at 0, and tensors at the offsets
/// in its table.
///
/// `None` if it exceeds the 4 GiB that offsets reach.
pub(super) fn encode(vector: &HealthVector, signature: &Signature<'_>) -> Option<Vec<u8>> {
    vector.lend(signature, |rows, scalars| encode_rows(rows, signature, scalars)).0
}

fn encode_rows(rows: &[TensorArg<'_>], signature: &Signature<'_>, scalars: &[u8]) -> Option<Vec<u8>> {
    let block = params::block_size(rows.len(), scalars.len() as u32);
    let mut cursor = Cursor::new(block);
    let mut entries = Vec::new();
    for (row, spec) in rows.iter().zip(signature.tensors) {
        entries.push(match row.data {
            TensorData::Absent => TensorEntry::absent(spec.dtype, spec.role),
            TensorData::Scratch => TensorEntry::absent(spec.dtype, Role::Scratch),
            _ => {
                let offset = cursor.place(row.shape.bytes(row.dtype))?;
                TensorEntry::new(offset, row.dtype, spec.role, row.shape)?
            }
        });
    }
    let mut call = vec![0; usize::try_from(cursor.end()).ok()?];
    params::write(&mut call[..block as usize], &entries, scalars);
    for (row, entry) in rows.iter().zip(&entries) {
        let at = entry.offset as usize..(entry.offset + entry.size) as usize;
        match &row.data {
            TensorData::In(bytes) => call[at].copy_from_slice(bytes),
            TensorData::InOut(bytes) => call[at].copy_from_slice(bytes),
            TensorData::Absent | TensorData::Out(_) | TensorData::Scratch => {}
        }
    }
    Some(call)
}

/// Returns the answer to a call that returned these tensors.
pub(super) fn answer(results: &[NamedTensor]) -> Vec<u8> {
    let tensors = results.iter().map(|tensor| tensor.bytes.as_slice());
    iter::once(&[Status::Ok.code() as u8][..]).chain(tensors).collect::<Vec<_>>().concat()
}

/// Returns the tensors that a vector's call writes, with the bytes of the answer; `None` if there are too many or too
/// few bytes.
pub(super) fn decode(vector: &HealthVector, mut answer: &[u8]) -> Option<Vec<NamedTensor>> {
    let mut results = vector.expected().to_vec();
    for result in &mut results {
        let bytes;
        (bytes, answer) = answer.split_at_checked(result.bytes.len())?;
        result.bytes.copy_from_slice(bytes);
    }
    answer.is_empty().then_some(results)
}
