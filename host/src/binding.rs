//! A call whose tensors stay where the kernel sees them.

use std::sync::Arc;

use kernelpack_abi::{Role, Shape, Signature, TensorArg, TensorData};

use crate::{
    BadCall, Error,
    engine::Export,
    guest::{Call, Failure, Guest, check},
    loaded::LoadedKernel,
    memory::{SharedPart, escape},
};

/// A forward call that is laid out in an instance of its own, which has seen nothing else and will not.
///
/// The instance is dropped with the binding, and with it every mapping; the memory of tensors that were dropped before
/// goes then, too.
pub(crate) struct Binding {
    loaded: Arc<LoadedKernel>,
    ticks: u32,
    rows: Vec<Row>,
    /// None after it was stopped, until the next call.
    guest: Option<Guest>,
}

/// What a row of the tensor table is bound to.
struct Row {
    /// None for one that is absent, or scratch.
    shape: Option<Shape>,
    /// None for a tensor that is copied.
    part: Option<SharedPart>,
}

impl Binding {
    /// Lays out a call and maps those of its tensors that can be.
    pub(crate) fn new(
        loaded: Arc<LoadedKernel>,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<Self, Error> {
        let ticks = loaded.ticks(max_ticks);
        let rows = tensors
            .iter()
            .map(|tensor| Row { shape: shape(tensor), part: bytes(&tensor.data).and_then(SharedPart::of) })
            .collect();
        let mut binding = Self { loaded, ticks, rows, guest: None };
        binding.renew(signature, tensors, scalars)?;
        Ok(binding)
    }

    /// Bytes that each call copies; scratch and scalars do not count.
    pub(crate) fn copied_bytes(&self, signature: &Signature<'_>) -> u64 {
        let copied = signature.tensors.iter().zip(&self.rows).filter(|(_, row)| row.part.is_none());
        copied
            .map(|(spec, row)| {
                let bytes = row.shape.map_or(0, |shape| shape.bytes(spec.dtype));
                if spec.role == Role::InOut { 2 * bytes } else { bytes }
            })
            .sum()
    }

    /// Makes an instance, and maps into it.
    #[cold]
    fn renew(&mut self, signature: &Signature<'_>, tensors: &[TensorArg<'_>], scalars: &[u8]) -> Result<(), Error> {
        let symbols = check(signature, tensors)?;
        let mut guest = self.loaded.newborn(self.ticks)?;
        if !guest.maps() {
            self.rows.iter_mut().for_each(|row| row.part = None);
        }
        let parts: Vec<_> = self.rows.iter().map(|row| row.part.clone()).collect();
        let call = Call { export: Export::Forward, signature, symbols: &symbols };
        let laid_out = guest.lay_out(call, tensors, scalars, &parts);
        match laid_out {
            Ok(()) => self.guest = Some(guest),
            Err(failure) => {
                retire(&self.loaded, guest);
                return Err(self.loaded.error(failure));
            }
        }
        Ok(())
    }

    /// Runs the kernel on tensors that are those bound, or have their shapes where they are copied.
    #[inline]
    pub(crate) fn call(
        &mut self,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
    ) -> Result<(), Error> {
        for (index, (row, tensor)) in self.rows.iter().zip(tensors.iter()).enumerate() {
            let bytes = bytes(&tensor.data);
            if let (Some(part), Some(bytes)) = (&row.part, bytes) {
                escape(bytes);
                if part.address() == bytes.cast::<u8>().addr() {
                    continue;
                }
                return Err(not_bound(signature, index));
            }
        }
        let guest = match &mut self.guest {
            Some(guest) if guest.fits(Export::Forward, tensors, scalars) => guest,
            Some(_) => return Err(misfit(signature, tensors, &self.rows)),
            None if self.rows.iter().zip(tensors.iter()).any(|(row, tensor)| row.shape != shape(tensor)) => {
                return Err(misfit(signature, tensors, &self.rows));
            }
            None => {
                self.renew(signature, tensors, scalars)?;
                return self.call(signature, tensors, scalars);
            }
        };
        let result = guest.run(tensors, scalars, self.ticks);
        for (row, tensor) in self.rows.iter().zip(tensors.iter()) {
            if let (Some(_), Some(bytes)) = (&row.part, bytes(&tensor.data)) {
                escape(bytes);
            }
        }
        result.map_err(|failure| {
            if let Failure::Stopped(_) = failure {
                self.release();
            }
            self.loaded.error(failure)
        })
    }

    /// Drops an instance that was stopped, with its mappings.
    #[cold]
    fn release(&mut self) {
        if let Some(guest) = self.guest.take() {
            drop(self.loaded.pool.reattach(guest));
        }
    }
}

impl Drop for Binding {
    fn drop(&mut self) {
        if let Some(guest) = self.guest.take() {
            retire(&self.loaded, guest);
        }
    }
}

/// Ends an instance. Its cleanup runs when the host may be using the tensors, so they are taken from it first.
fn retire(loaded: &LoadedKernel, mut guest: Guest) {
    match guest.unmap() {
        Ok(()) => loaded.retire(guest),
        Err(_) => drop(loaded.pool.reattach(guest)),
    }
}

/// The shape of a tensor that the caller has.
#[inline]
fn shape(tensor: &TensorArg<'_>) -> Option<Shape> {
    bytes(&tensor.data).map(|_| tensor.shape)
}

/// The bytes of a tensor that has some.
#[inline]
fn bytes(data: &TensorData<'_>) -> Option<*const [u8]> {
    match data {
        TensorData::Absent | TensorData::Scratch => None,
        TensorData::In(bytes) => Some(std::ptr::from_ref(*bytes)),
        TensorData::Out(bytes) | TensorData::InOut(bytes) => Some(std::ptr::from_ref::<[u8]>(bytes)),
    }
}

#[cold]
fn not_bound(signature: &Signature<'_>, row: usize) -> Error {
    let (name, role) = signature.tensors.get(row).map_or(("?", Role::In), |spec| (spec.name, spec.role));
    BadCall::NotBound { name: name.to_owned(), role }.into()
}

/// What is wrong with tensors that are not those of the binding.
#[cold]
fn misfit(signature: &Signature<'_>, tensors: &[TensorArg<'_>], rows: &[Row]) -> Error {
    if let Err(bad) = check(signature, tensors) {
        return bad.into();
    }
    let other = rows.iter().zip(tensors).position(|(row, tensor)| row.shape != shape(tensor));
    not_bound(signature, other.unwrap_or_default())
}
