//! A call that is laid out once in an instance, with its tensors mapped into the kernel's memory where possible.
//!
//! A [`Binding`] records each tensor's address, shape and role, so that every later call is checked against them before
//! the kernel runs. Tensors that cannot be mapped are copied at each call.

use std::{
    mem::{self, discriminant},
    sync::Arc,
};

use kernelpack_abi::{Pass, Role, Shape, Signature, TensorArg, TensorData};
use kernelpack_engine::{Budget, Export};
use kernelpack_memory::{SharedPart, escape};

use crate::{
    BadCall, Error,
    guest::{CLEANUP_TICKS, Checked, Failure, Guest, Mapped, check, unreachable},
    loaded::LoadedKernel,
    split::{Piece, Plan, outline},
    workers::Answers,
};

/// A forward call that is laid out in an instance that runs nothing else; or in several, if it is divided over threads.
///
/// Dropping the binding drops its instances and every mapping in them, and frees the memory of tensors that were
/// dropped before it.
pub(crate) struct Binding {
    loaded: Arc<LoadedKernel>,
    ticks: u32,
    rows: Vec<Row>,
    /// Whether any tensor is copied.
    copies: bool,
    /// How each call is divided over the instances.
    plan: Plan,
    /// Receives the parts of a divided call when they are done.
    answers: Option<Answers>,
    /// One for each part of a call. Empty after an instance was stopped, until the next call makes new ones.
    guests: Vec<Option<Box<Guest>>>,
}

/// The tensor that a row of the tensor table is bound to.
struct Row {
    data: mem::Discriminant<TensorData<'static>>,
    shape: Shape,
    len: usize,
    /// None for a tensor that is copied.
    part: Option<SharedPart>,
    /// The address of the part in the host's memory, or 0 if there is no part.
    address: usize,
}

impl Binding {
    /// Lays out a call and maps those of its tensors that can be mapped.
    pub(crate) fn new(
        loaded: Arc<LoadedKernel>,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        max_ticks: u32,
    ) -> Result<Self, Error> {
        let ticks = loaded.ticks(max_ticks);
        check(signature, tensors)?;
        let rows = tensors.iter().map(Row::of).collect();
        let (copies, plan, answers, guests) = (true, Plan::whole(), None, Vec::new());
        let mut binding = Self { loaded, ticks, rows, copies, plan, answers, guests };
        let budget = Budget::new(ticks);
        binding.renew(signature, tensors, scalars, budget)?;
        Ok(binding)
    }

    /// Returns how many bytes each call copies, not counting scratch and scalars.
    pub(crate) fn copied_bytes(&self, signature: &Signature<'_>) -> u64 {
        let copied = signature.tensors.iter().zip(&self.rows).filter(|(_, row)| row.part.is_none());
        copied
            .map(|(spec, row)| match spec.role {
                Role::Scratch => 0,
                Role::In | Role::Out => row.len as u64,
                Role::InOut => 2 * row.len as u64,
            })
            .sum()
    }

    /// Returns the maximum number of threads that a call uses.
    pub(crate) fn threads(&self) -> usize {
        self.plan.len()
    }

    /// Makes new instances, whose initializations share a budget, and lays out the call in them.
    #[cold]
    fn renew(
        &mut self,
        signature: &Signature<'_>,
        tensors: &[TensorArg<'_>],
        scalars: &[u8],
        budget: Budget,
    ) -> Result<(), Error> {
        let unfinished = Unfinished(self);
        let binding = &mut *unfinished.0;
        let mut first = binding.loaded.new_instance(budget.left())?;
        if !first.maps() {
            binding.rows.iter_mut().for_each(Row::unmap);
        }
        binding.guests.push(Some(first));
        binding.copies = binding.rows.iter().any(|row| row.len > 0 && row.part.is_none());
        binding.plan = binding.plan_of(signature, tensors);
        binding.answers = (binding.plan.len() > 1).then(|| Answers::new(binding.plan.len()));
        while binding.guests.len() < binding.plan.len() {
            binding.guests.push(Some(binding.loaded.new_instance(budget.left())?));
        }
        binding.lay_out(signature, tensors, scalars)?;
        mem::forget(unfinished);
        Ok(())
    }

    /// Returns how the call is divided. A call with copied tensors stays whole, since each part would have to copy
    /// them.
    fn plan_of(&self, signature: &Signature<'_>, tensors: &[TensorArg<'_>]) -> Plan {
        let workers = self.loaded.workers.as_ref().filter(|_| !self.copies);
        let divided =
            workers.and_then(|workers| Plan::new(signature, &self.loaded.spec.split, tensors, workers.count()));
        divided.unwrap_or_else(Plan::whole)
    }

    /// Lays out each part of the call in its instance.
    fn lay_out(&mut self, signature: &Signature<'_>, tensors: &[TensorArg<'_>], scalars: &[u8]) -> Result<(), Error> {
        for (index, guest) in self.guests.iter_mut().flatten().enumerate() {
            let pieces = self.plan.pieces(signature, tensors, index);
            let of = signature.tensors.iter().zip(tensors).zip(&pieces);
            let outlines: Vec<_> = of.map(|((spec, tensor), piece)| outline(spec.role, tensor, piece.shape)).collect();
            let mapped =
                |(row, piece): (&Row, &Piece)| row.part.clone().map(|part| Mapped { part, offset: piece.offset });
            let mapped: Vec<_> = self.rows.iter().zip(&pieces).map(mapped).collect();
            let call = Checked::outlines(signature, &outlines)?;
            let laid_out = guest.lay_out(Export::Forward, &call, &outlines, scalars, &mapped);
            laid_out.map_err(|failure| self.loaded.error(failure))?;
        }
        Ok(())
    }

    /// Returns the instance that can run a call with these arguments at once, and the ticks that it gets. None if the
    /// call is divided, if tensors must be copied, or if the arguments are not the bound ones.
    #[inline]
    pub(crate) fn ready<K: Pass>(&mut self, args: &mut K::Args<'_>) -> Option<(&mut Guest, u32)> {
        let [Some(guest)] = &mut self.guests[..] else { return None };
        let (mut rows, mut takes, mut set) = (self.rows.iter(), !self.copies, false);
        K::give(
            K::reborrow(args),
            |tensor| takes &= rows.next().is_some_and(|row| row.takes(&tensor)),
            |scalars| set = guest.set_scalars(scalars),
        );
        (takes & set && rows.next().is_none()).then_some((guest, self.ticks))
    }

    /// Runs the kernel. Mapped tensors must be the bound ones; copied tensors must have the bound shapes.
    pub(crate) fn call(
        &mut self,
        signature: &Signature<'_>,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
    ) -> Result<(), Error> {
        self.check(signature, tensors)?;
        // If an engine panicked in a call and the caller caught the panic, the host cannot reach its memory any more.
        if !self.set_scalars(scalars) {
            self.abandon();
        }
        let mut ticks = self.ticks;
        if self.guests.is_empty() {
            let budget = Budget::new(ticks);
            self.renew(signature, tensors, scalars, budget)?;
            if !self.set_scalars(scalars) {
                return Err(self.failed(unreachable()));
            }
            // The time for making instances counts only if guest code ran.
            if self.loaded.spec.lifecycle.init {
                ticks = budget.left();
            }
        }
        let result = match (&mut self.guests[..], &self.loaded.workers, &self.answers) {
            ([Some(guest)], ..) if self.copies => guest.run(tensors, scalars, ticks),
            (guests, Some(workers), Some(answers)) => workers.run(guests, answers, ticks),
            (guests, ..) => guests.iter_mut().flatten().try_for_each(|guest| guest.run_again(ticks)),
        };
        match result {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.failed(failure)),
        }
    }

    /// Writes these scalars to each instance; `false` if one of them cannot take them.
    fn set_scalars(&mut self, scalars: &[u8]) -> bool {
        self.guests.iter_mut().all(|guest| guest.as_mut().is_some_and(|guest| guest.set_scalars(scalars)))
    }

    /// Checks that mapped tensors are the bound ones, and that copied tensors have the bound shapes.
    #[inline]
    pub(crate) fn check(&self, signature: &Signature<'_>, tensors: &[TensorArg<'_>]) -> Result<(), Error> {
        let takes = |(row, tensor): (&Row, &TensorArg<'_>)| row.takes(tensor);
        if tensors.len() != self.rows.len() || !self.rows.iter().zip(tensors).all(takes) {
            return Err(misfit(signature, tensors, &self.rows));
        }
        Ok(())
    }

    /// Converts a failure to an error, and drops instances that must not be used again.
    #[cold]
    pub(crate) fn failed(&mut self, failure: Failure) -> Error {
        if failure.spoils_guest() {
            // One of the instances must not run again, not even its cleanup, and it is unknown which one.
            self.abandon();
        }
        // A kernel may have overwritten its descriptor, which would make each later call fail.
        self.guests.iter_mut().flatten().for_each(|guest| _ = guest.restore_head());
        self.loaded.error(failure)
    }

    /// Drops the instances without running their cleanup.
    #[cold]
    fn abandon(&mut self) {
        for guest in self.guests.drain(..).flatten() {
            drop(self.loaded.bindings.reattach(guest));
        }
    }

    /// Drops the instances. The host may be using the tensors while their cleanup runs, so the tensors are unmapped
    /// first.
    #[cold]
    fn release(&mut self) {
        let budget = Budget::new(CLEANUP_TICKS);
        for mut guest in self.guests.drain(..).flatten() {
            // If the engine panicked, the head is out of reach, and none of the instance's code may run again.
            if guest.restore_head().is_ok() && guest.unmap().is_ok() {
                self.loaded.retire(guest, budget.left());
            } else {
                drop(self.loaded.bindings.reattach(guest));
            }
        }
    }
}

/// A binding whose instances are still being made: if an error or a panic of the engine drops this, it drops them too.
struct Unfinished<'a>(&'a mut Binding);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Drop for Binding {
    fn drop(&mut self) {
        self.release();
    }
}

impl Row {
    fn of(tensor: &TensorArg<'_>) -> Self {
        let bytes = bytes(&tensor.data);
        let part = bytes.and_then(SharedPart::of);
        Self {
            data: kind(&tensor.data),
            shape: tensor.shape,
            len: bytes.map_or(0, <*const [u8]>::len),
            address: part.as_ref().map_or(0, SharedPart::address),
            part,
        }
    }

    /// Drops the handle of the tensor's memory, so that calls copy the tensor instead.
    fn unmap(&mut self) {
        (self.part, self.address) = (None, 0);
    }

    /// Returns whether this is the tensor that the row is bound to or, if the row is copied, one of the same role,
    /// shape and size.
    ///
    /// Exposes the tensor's bytes, which the kernel may access from here on.
    #[inline]
    fn takes(&self, tensor: &TensorArg<'_>) -> bool {
        let Some(bytes) = bytes(&tensor.data) else { return kind(&tensor.data) == self.data };
        escape(bytes);
        let (address, len) = (bytes.cast::<u8>().addr(), bytes.len());
        (self.address == 0) | (self.address == address)
            && (len == self.len) & (kind(&tensor.data) == self.data)
            && tensor.shape == self.shape
    }
}

/// Returns how a tensor is passed, without its lifetime.
#[inline]
fn kind(data: &TensorData<'_>) -> mem::Discriminant<TensorData<'static>> {
    match data {
        TensorData::Absent => discriminant(&TensorData::Absent),
        TensorData::In(_) => discriminant(&TensorData::In(&[])),
        TensorData::Out(_) => discriminant(&TensorData::Out(&mut [])),
        TensorData::InOut(_) => discriminant(&TensorData::InOut(&mut [])),
        TensorData::Scratch => discriminant(&TensorData::Scratch),
    }
}

/// Returns the bytes of a tensor, unless it is absent or scratch.
#[inline]
fn bytes(data: &TensorData<'_>) -> Option<*const [u8]> {
    match data {
        TensorData::Absent | TensorData::Scratch => None,
        TensorData::In(bytes) => Some(std::ptr::from_ref(*bytes)),
        TensorData::Out(bytes) | TensorData::InOut(bytes) => Some(std::ptr::from_ref::<[u8]>(bytes)),
    }
}

/// Describes how tensors differ from the bound ones.
#[cold]
fn misfit(signature: &Signature<'_>, tensors: &[TensorArg<'_>], rows: &[Row]) -> Error {
    if let Err(bad) = check(signature, tensors) {
        return bad.into();
    }
    let other = rows.iter().zip(tensors).position(|(row, tensor)| !row.takes(tensor));
    let spec = other.and_then(|row| signature.tensors.get(row));
    let (name, role) = spec.map_or(("?", Role::In), |spec| (spec.name, spec.role));
    let name = name.to_owned();
    match other.and_then(|at| rows.get(at).zip(tensors.get(at))) {
        Some((row, tensor)) if row.data == kind(&tensor.data) && row.shape != tensor.shape => {
            BadCall::NotBoundShape { name, role, bound: row.shape, actual: tensor.shape }.into()
        }
        _ => BadCall::NotBound { name, role }.into(),
    }
}

#[cfg(test)]
mod tests;
