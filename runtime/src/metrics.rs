//! The metrics that a runtime reports through the `metrics` facade.
//!
//! Names, units and labels are documented for users in the crate's documentation, and for recorders in [`describe`].
//!
//! Handles are made when a pack is loaded, from the recorder that is installed at that time. A call updates them
//! without a lookup, a lock or an allocation of its own.

use std::{sync::Arc, time::Duration};

use metrics::{Counter, Gauge, Histogram, Label, Unit, counter, gauge, histogram};

use crate::{Error, KernelError};

/// The ways in which a call can end, in the order of [`OUTCOMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Fallback,
    Refused,
    Failed,
    BadCall,
    Engine,
    OutOfService,
    Internal,
}

const OUTCOMES: [&str; 8] = ["ok", "fallback", "refused", "failed", "bad_call", "engine", "out_of_service", "internal"];

/// The kinds that count as failures: those of [`KernelError::kind`] that are not refusals.
const KINDS: [&str; 12] = [
    "epoch_deadline",
    "memory_access_violation",
    "integer_overflow",
    "integer_division_by_zero",
    "unreachable",
    "stack_overflow",
    "indirect_call_type_mismatch",
    "out_of_memory",
    "not_implemented",
    "internal_error",
    "unknown_status",
    "other",
];

impl Outcome {
    pub(crate) fn of(result: &Result<(), Error>) -> Self {
        result.as_ref().map_or_else(Self::of_error, |()| Self::Ok)
    }

    pub(crate) fn of_error(error: &Error) -> Self {
        match error {
            Error::Kernel(failure) if failure.error.is_refusal() => Self::Refused,
            Error::Kernel(_) => Self::Failed,
            Error::BadCall(_) | Error::Rejected(_) => Self::BadCall,
            Error::OutOfService(_) => Self::OutOfService,
            Error::Config(_) | Error::File(_) | Error::Resources(_) | Error::Load(_) | Error::TrustStore(_) => {
                Self::Engine
            }
            Error::Internal(_) => Self::Internal,
        }
    }
}

/// The metrics handles of one loaded kernel.
pub(crate) struct KernelMetrics {
    calls: [Counter; OUTCOMES.len()],
    duration: Histogram,
    failures: [Counter; KINDS.len()],
    fallbacks: [Counter; 2],
    degraded: Gauge,
    out_of_service: Gauge,
    idle: Gauge,
    busy: Gauge,
}

impl KernelMetrics {
    /// Makes handles from the installed recorder, or handles that do nothing if metrics are off.
    pub(crate) fn new(enabled: bool, kernel: &str, pack: &PackLabels<'_>, placement: &'static str) -> Self {
        if !enabled {
            return Self::none();
        }
        let mut labels = pack.labels();
        labels.push(Label::new("kernel", kernel.to_owned()));
        let with = |more: &[(&'static str, &'static str)]| -> Vec<Label> {
            let more = more.iter().map(|(key, value)| Label::from_static_parts(key, value));
            labels.iter().cloned().chain(more).collect()
        };
        Self {
            calls: OUTCOMES.map(|outcome| {
                counter!("kernelpack_calls_total", with(&[("placement", placement), ("outcome", outcome)]))
            }),
            duration: histogram!("kernelpack_call_duration_seconds", with(&[("placement", placement)])),
            failures: KINDS.map(|kind| counter!("kernelpack_failures_total", with(&[("kind", kind)]))),
            fallbacks: ["ok", "failed"]
                .map(|result| counter!("kernelpack_fallbacks_total", with(&[("result", result)]))),
            degraded: gauge!("kernelpack_degraded", with(&[])),
            out_of_service: gauge!("kernelpack_out_of_service", with(&[])),
            idle: gauge!("kernelpack_instances", with(&[("state", "idle")])),
            busy: gauge!("kernelpack_instances", with(&[("state", "busy")])),
        }
    }

    fn none() -> Self {
        Self {
            calls: [const { Counter::noop() }; OUTCOMES.len()],
            duration: Histogram::noop(),
            failures: [const { Counter::noop() }; KINDS.len()],
            fallbacks: [const { Counter::noop() }; 2],
            degraded: Gauge::noop(),
            out_of_service: Gauge::noop(),
            idle: Gauge::noop(),
            busy: Gauge::noop(),
        }
    }

    #[inline]
    pub(crate) fn call(&self, outcome: Outcome, took: Option<Duration>) {
        self.calls[outcome as usize].increment(1);
        if let Some(took) = took {
            self.duration.record(took.as_secs_f64());
        }
    }

    /// Counts the calls of a batch, which had the same outcome, without a duration.
    pub(crate) fn calls(&self, outcome: Outcome, count: u64) {
        self.calls[outcome as usize].increment(count);
    }

    pub(crate) fn failure(&self, error: &KernelError) {
        if let Some(kind) = KINDS.iter().position(|kind| *kind == error.kind()) {
            self.failures[kind].increment(1);
        }
    }

    pub(crate) fn fallback(&self, succeeded: bool) {
        self.fallbacks[usize::from(!succeeded)].increment(1);
    }

    pub(crate) fn degraded(&self, degraded: bool) {
        self.degraded.set(f64::from(u8::from(degraded)));
    }

    pub(crate) fn out_of_service(&self, out: bool) {
        self.out_of_service.set(f64::from(u8::from(out)));
    }

    /// Reports how many instances are idle, and how many are in a call.
    pub(crate) fn pool(&self, idle: u32, busy: u32) {
        self.idle.set(f64::from(idle));
        self.busy.set(f64::from(busy));
    }
}

impl Drop for KernelMetrics {
    /// Resets the gauges: a dropped kernel is not degraded and has no instances.
    fn drop(&mut self) {
        self.degraded(false);
        self.out_of_service(false);
        self.pool(0, 0);
    }
}

/// The labels of a pack.
pub(crate) struct PackLabels<'a> {
    pub(crate) name: &'a Arc<str>,
    pub(crate) version: &'a semver::Version,
}

impl PackLabels<'_> {
    fn labels(&self) -> Vec<Label> {
        vec![Label::new("pack", self.name.clone()), Label::new("version", self.version.to_string())]
    }
}

/// One count in the gauge of loaded packs, until this is dropped.
pub(crate) struct PackInfo(Gauge);

impl PackInfo {
    pub(crate) fn new(enabled: bool, pack: &PackLabels<'_>) -> Self {
        let gauge = if enabled { gauge!("kernelpack_pack_info", pack.labels()) } else { Gauge::noop() };
        // Not set to 1, since the same version may be loaded twice, for example while a pack is reloaded.
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for PackInfo {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Describes the metrics to the recorder; doing so more than once is harmless.
pub(crate) fn describe() {
    metrics::describe_counter!("kernelpack_calls_total", Unit::Count, "Kernel calls, by outcome.");
    metrics::describe_histogram!(
        "kernelpack_call_duration_seconds",
        Unit::Seconds,
        "Time of whole calls: checks, copies, the kernel, and the reference if it ran instead."
    );
    metrics::describe_counter!("kernelpack_failures_total", Unit::Count, "Kernel failures, by kind.");
    metrics::describe_counter!(
        "kernelpack_fallbacks_total",
        Unit::Count,
        "Runs of a reference implementation in place of a kernel that failed."
    );
    metrics::describe_gauge!(
        "kernelpack_degraded",
        Unit::Count,
        "1 while a kernel's last call did not get its result from the sandbox, or the kernel is out of service."
    );
    metrics::describe_gauge!(
        "kernelpack_out_of_service",
        Unit::Count,
        "1 while the circuit breaker keeps a kernel's calls out of the sandbox."
    );
    metrics::describe_gauge!("kernelpack_instances", Unit::Count, "Instances in a kernel's pool, by state.");
    metrics::describe_gauge!("kernelpack_pack_info", Unit::Count, "Loaded packs.");
}

#[cfg(test)]
mod tests;
