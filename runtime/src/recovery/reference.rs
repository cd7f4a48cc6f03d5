//! Finds, checks and runs the reference implementations of kernels.

use std::{
    any::Any,
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

use kernelpack_abi::{KernelSpecBuf, Lifecycle, TensorArg, TensorData, native::NativeKernel};
use kernelpack_engine::Export;
use kernelpack_manifest::{VerifiedVector, compare};
use zerocopy::IntoBytes as _;

use crate::KernelError;

/// An alignment that is sufficient for every element type.
const ALIGN: usize = 4;

/// The native implementation of a kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference(NativeKernel);

impl Reference {
    /// Finds the reference of a kernel whose module was built from the crate `writer`, "name version".
    ///
    /// References that were given to the builder come first. Those that are just compiled in must be from the crate
    /// that the module was built from, since a function of the same name in another crate may compute something else.
    /// Every reference must return what the kernel's `vectors` expect, which is the only protection against other
    /// sources, features or settings.
    ///
    /// # Errors
    /// The reason why the kernel has no reference.
    pub(super) fn find(
        spec: &KernelSpecBuf,
        writer: &str,
        given: &[NativeKernel],
        vectors: &[VerifiedVector],
    ) -> Result<Self, NoReference> {
        let KernelSpecBuf { id, fallback, .. } = spec;
        if fallback.is_empty() {
            return Err(NoReference::Missing("the manifest's fallbacks do not name a reference for it".to_owned()));
        }
        if spec.lifecycle.init || spec.lifecycle.cleanup {
            // An instance keeps the state that `init` made; the native function would use its own statics.
            let why = "it has an `init` or a `cleanup`: its function in this program lacks an instance's state";
            return Err(NoReference::Missing(why.to_owned()));
        }
        let package = writer.rsplit_once(' ').map_or(writer, |(name, _)| name);
        let named = |kernel: &NativeKernel| kernel.spec.id == *id && kernel.spec.fallback == *fallback;
        let compiled_in = NativeKernel::all().copied().filter(|kernel| kernel.package == package);
        let mut why = NoReference::Missing(format!(
            "its reference {fallback:?} was not registered, and the one of crate {package:?} is not compiled into this \
             program"
        ));
        let given = given.iter().copied().map(|kernel| (Self(kernel), true));
        for (reference, was_given) in given.chain(compiled_in.map(|kernel| (Self(kernel), false))) {
            if !named(&reference.0) {
                continue;
            }
            match reference.difference(spec, vectors, was_given) {
                None => return Ok(reference),
                Some(difference) => {
                    let package = reference.package();
                    why = NoReference::Differs(format!("reference {fallback:?} of crate {package:?} {difference}"));
                }
            }
        }
        Err(why)
    }

    /// Returns the reason why this reference must not compute the kernel's results, if there is one.
    fn difference(&self, spec: &KernelSpecBuf, vectors: &[VerifiedVector], was_given: bool) -> Option<String> {
        if let Some(difference) = interface_difference(self.0.spec.into(), spec) {
            return Some(format!("differs from the pack in its {difference}"));
        }
        if self.0.spec.lifecycle != Lifecycle::default() {
            return Some("has an `init` or a `cleanup`, but the pack's kernel does not".to_owned());
        }
        // The program vouches for a function that it gives to the builder, so that function needs no vectors.
        if vectors.is_empty() && !was_given {
            return Some(
                "cannot be compared with the pack, which has no health vector for the kernel: add one, or give the \
                 function to RuntimeBuilder::reference"
                    .to_owned(),
            );
        }
        if let Some(found) = vectors.iter().find_map(|vector| self.disagreement(spec, vector)) {
            return Some(found);
        }
        // All vectors run a second time, since state that a function keeps must not change its results.
        let again = vectors.iter().find_map(|vector| self.disagreement(spec, vector))?;
        Some(format!("keeps state between calls: when called again, it {again}"))
    }

    /// Returns how the reference's results differ from what a vector expects, if they do.
    fn disagreement(&self, spec: &KernelSpecBuf, vector: &VerifiedVector) -> Option<String> {
        let (path, tolerance) = (vector.path(), vector.tolerance());
        spec.forward.with(|signature| {
            let (ran, results) = vector
                .vector()
                .lend(signature, |tensors, scalars| self.run_in_place(Export::Forward, tensors, scalars));
            if let Err(error) = ran {
                return Some(format!("fails the pack's health vector {path:?}: {error}"));
            }
            let mismatch = compare(vector.vector().expected(), &results, tolerance).err()?;
            Some(format!("does not return what the pack's health vector {path:?} expects: {mismatch}"))
        })
    }

    /// Returns the reference's name in manifests.
    pub(super) fn reference_name(&self) -> &'static str {
        self.0.spec.fallback
    }

    /// Returns the crate that the reference is from.
    pub(super) fn package(&self) -> &'static str {
        self.0.package
    }

    /// Runs the reference on copies of the outputs and in-out tensors, which are copied back to the caller only if it
    /// succeeds.
    pub(super) fn run_on_copies(
        &self,
        export: Export,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
    ) -> Result<(), KernelError> {
        self.run(export, tensors, scalars, |_| true)
    }

    /// Runs the reference on the caller's tensors, except that it copies tensors that are not aligned for their
    /// elements.
    pub(super) fn run_in_place(
        &self,
        export: Export,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
    ) -> Result<(), KernelError> {
        self.run(export, tensors, scalars, misaligned)
    }

    fn run(
        &self,
        export: Export,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
        copies_written: impl Fn(&[u8]) -> bool,
    ) -> Result<(), KernelError> {
        let pass = match export {
            Export::Backward => self.0.backward,
            _ => Some(self.0.forward),
        };
        let pass = pass.ok_or_else(|| failure("the reference has no backward pass".to_owned()))?;
        let mut copies: Vec<Option<Aligned>> = tensors
            .iter()
            .map(|tensor| match &tensor.data {
                TensorData::In(bytes) => misaligned(bytes).then(|| Aligned::copy_of(bytes)),
                TensorData::Out(bytes) | TensorData::InOut(bytes) => {
                    copies_written(bytes).then(|| Aligned::copy_of(bytes))
                }
                TensorData::Absent | TensorData::Scratch => None,
            })
            .collect();
        let mut lent: Vec<TensorArg<'_>> = tensors
            .iter_mut()
            .zip(&mut copies)
            .map(|(tensor, copy)| {
                let data = match (&mut tensor.data, copy) {
                    (TensorData::Absent, _) => TensorData::Absent,
                    (TensorData::Scratch, _) => TensorData::Scratch,
                    (TensorData::In(bytes), None) => TensorData::In(bytes),
                    (TensorData::In(_), Some(copy)) => TensorData::In(copy.bytes()),
                    (TensorData::Out(bytes), None) => TensorData::Out(bytes),
                    (TensorData::Out(_), Some(copy)) => TensorData::Out(copy.bytes()),
                    (TensorData::InOut(bytes), None) => TensorData::InOut(bytes),
                    (TensorData::InOut(_), Some(copy)) => TensorData::InOut(copy.bytes()),
                };
                TensorArg { dtype: tensor.dtype, shape: tensor.shape, data }
            })
            .collect();
        // This is unwind safe: copies are dropped, and tensors written in place are unspecified after a failure.
        let ran = catch_unwind(AssertUnwindSafe(|| pass(&mut lent, scalars)));
        drop(lent);
        match ran {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let message = (!error.message().is_empty()).then(|| error.message().to_owned());
                return Err(KernelError::returned(error.status().code(), message));
            }
            Err(panic) => {
                let error = failure(format!("panicked: {}", panic_message(&*panic)));
                // The panic's payload comes from the function, and dropping it may panic as well.
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
                    mem::forget(panic);
                }
                return Err(error);
            }
        }
        for (tensor, copy) in tensors.iter_mut().zip(&mut copies) {
            if let (TensorData::Out(bytes) | TensorData::InOut(bytes), Some(copy)) = (&mut tensor.data, copy) {
                bytes.copy_from_slice(copy.bytes());
            }
        }
        Ok(())
    }
}

/// The reason why a kernel has no reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoReference {
    /// No function qualifies.
    Missing(String),
    /// A function has the reference's name, but may compute something else.
    Differs(String),
}

impl fmt::Display for NoReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Missing(reason) | Self::Differs(reason)) = self;
        f.write_str(reason)
    }
}

/// Returns the first difference in the two passes, which calls depend on. Texts and limits may differ.
pub(crate) fn interface_difference(stub: KernelSpecBuf, spec: &KernelSpecBuf) -> Option<String> {
    let interface = KernelSpecBuf { forward: stub.forward, backward: stub.backward, ..spec.clone() };
    kernelpack_manifest::first_difference(&interface, spec)
}

fn failure(message: String) -> KernelError {
    KernelError::returned(kernelpack_abi::Status::InternalError.code(), Some(message))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("with something that is not text")
}

fn misaligned(bytes: &[u8]) -> bool {
    !bytes.as_ptr().addr().is_multiple_of(ALIGN)
}

/// Bytes that are aligned for any element.
struct Aligned {
    words: Vec<u128>,
    len: usize,
}

impl Aligned {
    fn copy_of(bytes: &[u8]) -> Self {
        let mut aligned = Self { words: vec![0; bytes.len().div_ceil(size_of::<u128>())], len: bytes.len() };
        aligned.bytes().copy_from_slice(bytes);
        aligned
    }

    fn bytes(&mut self) -> &mut [u8] {
        &mut self.words.as_mut_slice().as_mut_bytes()[..self.len]
    }
}

#[cfg(test)]
mod tests;
