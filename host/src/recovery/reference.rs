//! The reference implementations of kernels: which one a kernel has, and running it.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use kernelpack_abi::{KernelSpecBuf, TensorArg, TensorData, native::NativeKernel};
use zerocopy::IntoBytes as _;

use crate::{KernelError, engine::Export};

/// The alignment that every element type is content with.
const ALIGN: usize = 4;

/// The native implementation of a kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference(NativeKernel);

impl Reference {
    /// The reference of a kernel that a module of the crate `writer`, "name version", declares.
    ///
    /// References that were given come first. Those that are merely compiled in count only if they are of the crate
    /// that the module was built from: another crate's function of the same name may compute something else.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn find(spec: &KernelSpecBuf, writer: &str, given: &[NativeKernel]) -> Result<Self, String> {
        let KernelSpecBuf { id, fallback, .. } = spec;
        if fallback.is_empty() {
            return Err("the manifest's fallbacks name no reference for it".to_owned());
        }
        if spec.lifecycle.init {
            // An instance keeps what `init` made; the function would compute with whatever its statics hold.
            return Err("it has an `init`, which its function in this program has not been given".to_owned());
        }
        let package = writer.rsplit_once(' ').map_or(writer, |(name, _)| name);
        let named = |kernel: &NativeKernel| kernel.spec.id == *id && kernel.spec.fallback == *fallback;
        let compiled_in = NativeKernel::all().copied().filter(|kernel| kernel.package == package);
        let mut why = format!(
            "no reference {fallback:?} of it was registered, and none of crate {package:?} is compiled into this program"
        );
        for kernel in given.iter().copied().chain(compiled_in).filter(named) {
            match interface_difference(kernel.spec.into(), spec) {
                None => return Ok(Self(kernel)),
                Some(difference) => {
                    let package = kernel.package;
                    why = format!(
                        "reference {fallback:?} of crate {package:?} differs from the pack in its {difference}"
                    );
                }
            }
        }
        Err(why)
    }

    /// Its name in manifests.
    pub(super) fn reference_name(&self) -> &'static str {
        self.0.spec.fallback
    }

    /// The crate that it is from.
    pub(super) fn package(&self) -> &'static str {
        self.0.package
    }

    /// Runs it on copies of the outputs and in-out tensors, which become the caller's only if it succeeds.
    pub(super) fn run_on_copies(
        &self,
        export: Export,
        tensors: &mut [TensorArg<'_>],
        scalars: &[u8],
    ) -> Result<(), KernelError> {
        self.run(export, tensors, scalars, |_| true)
    }

    /// Runs it on the caller's tensors, and on copies only of what is not aligned for its elements.
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
        let pass = pass.ok_or_else(|| failure("the reference has no such pass".to_owned()))?;
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
        // Nothing that it leaves half-done is looked at: copies are dropped, and what was written in place is
        // unspecified after a failure.
        let ran = catch_unwind(AssertUnwindSafe(|| pass(&mut lent, scalars)));
        drop(lent);
        match ran {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let message = (!error.message().is_empty()).then(|| error.message().to_owned());
                return Err(KernelError::returned(error.status().code(), message));
            }
            Err(panic) => return Err(failure(format!("panicked: {}", panic_message(&*panic)))),
        }
        for (tensor, copy) in tensors.iter_mut().zip(&mut copies) {
            if let (TensorData::Out(bytes) | TensorData::InOut(bytes), Some(copy)) = (&mut tensor.data, copy) {
                bytes.copy_from_slice(copy.bytes());
            }
        }
        Ok(())
    }
}

/// The first difference in what calls depend on: the two passes. Texts and limits are the pack's affair.
pub(crate) fn interface_difference(stub: KernelSpecBuf, spec: &KernelSpecBuf) -> Option<String> {
    let interface = KernelSpecBuf { forward: stub.forward, backward: stub.backward, ..spec.clone() };
    kernelpack_manifest::first_difference(&interface, spec)
}

fn failure(message: String) -> KernelError {
    KernelError::returned(kernelpack_abi::Status::InternalError.code(), Some(message))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("with something that is no text")
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
