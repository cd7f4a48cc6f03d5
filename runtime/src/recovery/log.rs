//! Log events about failures, fallbacks and placements.
//!
//! Events have the target `kernelpack` and carry their data in fields. Text from a guest is escaped by the `Display`
//! implementations that write it.

use std::{fmt, time::Duration};

use kernelpack_abi::{Shape, TensorData};
use tracing::{debug, error, info, warn};

use super::{
    BreakerPolicy,
    reference::{NoReference, Reference},
};
use crate::{Error, KernelError, KernelFailure, call::Call, origin::Origin};

const TARGET: &str = "kernelpack";

/// Logs that the kernel failed.
#[cold]
pub(super) fn failed(failure: &KernelFailure, call: &Call<'_, '_>, took: Option<Duration>) {
    warn!(
        target: TARGET,
        kernel = %failure.kernel,
        pack = %failure.pack,
        version = %failure.version,
        kind = failure.error.kind(),
        error = %failure.error,
        backtrace = %failure.backtrace,
        pass = ?call.export,
        shapes = %Shapes(call),
        duration_us = took.map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
        "a kernel failed",
    );
}

/// Logs that the kernel or the host refused the call, which the caller must handle, or that the host is at fault, which
/// its developers must handle.
#[cold]
pub(super) fn refused(origin: &Origin, error: &Error) {
    let Origin { kernel, pack, version, .. } = origin;
    match error {
        Error::Internal(_) => error!(target: TARGET, %kernel, %pack, %version, %error, "a call broke an invariant"),
        _ => debug!(target: TARGET, %kernel, %pack, %version, %error, "a call was refused"),
    }
}

/// Logs that the reference computed the result.
#[cold]
pub(super) fn fell_back(origin: &Origin, reference: &Reference) {
    debug!(
        target: TARGET,
        kernel = %origin.kernel,
        pack = %origin.pack,
        version = %origin.version,
        reference = reference.reference_name(),
        "the reference computed the result",
    );
}

/// Logs that the reference failed too; the caller gets the kernel's error.
#[cold]
pub(super) fn fallback_failed(origin: &Origin, reference: &Reference, error: &KernelError) {
    warn!(
        target: TARGET,
        kernel = %origin.kernel,
        pack = %origin.pack,
        version = %origin.version,
        reference = reference.reference_name(),
        %error,
        "the reference failed too",
    );
}

/// Logs that the breaker opened.
#[cold]
pub(super) fn out_of_service(origin: &Origin, policy: BreakerPolicy, fallback: Option<&str>) {
    let BreakerPolicy::After { failures, open_for } = policy else { return };
    error!(
        target: TARGET,
        kernel = %origin.kernel,
        pack = %origin.pack,
        version = %origin.version,
        failures = failures.get(),
        open_for_s = open_for.as_secs_f64(),
        fallback,
        "a kernel that keeps failing is taken out of service",
    );
}

/// Logs that the breaker closed.
#[cold]
pub(super) fn back_in_service(origin: &Origin) {
    info!(
        target: TARGET,
        kernel = %origin.kernel,
        pack = %origin.pack,
        version = %origin.version,
        "a kernel is back in service",
    );
}

/// Logs that a kernel runs outside the sandbox.
pub(super) fn native(origin: &Origin, reference: &Reference) {
    warn!(
        target: TARGET,
        kernel = %origin.kernel,
        pack = %origin.pack,
        version = %origin.version,
        reference = reference.reference_name(),
        package = reference.package(),
        "a kernel runs outside the sandbox, as configured",
    );
}

/// Logs that a kernel has no fallback, so callers have to handle its failures.
pub(super) fn no_fallback(origin: &Origin, reason: &NoReference) {
    let Origin { kernel, pack, version, .. } = origin;
    match reason {
        NoReference::Missing(reason) => {
            debug!(target: TARGET, %kernel, %pack, %version, reason, "a kernel has no fallback");
        }
        // This is a warning, since a program that links the function expects it to be used.
        NoReference::Differs(reason) => {
            warn!(
                target: TARGET,
                %kernel,
                %pack,
                %version,
                reason,
                "a kernel has no fallback, because its reference is not known to compute the same results",
            );
        }
    }
}

/// Writes the tensors of a call, such as `x 2x64, y 2x64`.
struct Shapes<'a, 'c, 't>(&'a Call<'c, 't>);

impl fmt::Display for Shapes<'_, '_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (spec, tensor) in self.0.signature.tensors.iter().zip(&*self.0.tensors) {
            if matches!(tensor.data, TensorData::Absent | TensorData::Scratch) {
                continue;
            }
            let separator = if first { "" } else { ", " };
            let shape: &Shape = &tensor.shape;
            write!(f, "{separator}{} {shape}", spec.name)?;
            first = false;
        }
        Ok(())
    }
}
