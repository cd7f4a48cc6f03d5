//! What a measurement says, for programs and for people.

use std::fmt::{self, Display, Formatter};

use kernelpack_manifest::Benchmark;
use serde::Serialize;

use super::workload::Workload;

/// The figures of one kernel at one shape: a line of `--json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figures {
    kernel: String,
    engine: &'static str,
    shape: String,
    /// Nanoseconds inside the sandbox, with the data there already.
    sandboxed_ns: f64,
    /// Nanoseconds of a call from and to the caller's memory, copies and checks included.
    call_ns: f64,
    /// Nanoseconds of the same body compiled into this program.
    native_ns: Option<f64>,
    /// `sandboxed_ns` to `native_ns`.
    ratio: Option<f64>,
    /// `call_ns` to `native_ns`.
    call_ratio: Option<f64>,
    /// 10⁹ bytes of inputs and outputs a second, in the guest.
    gb_per_s: f64,
    /// 10⁹ floating-point operations a second, in the guest.
    gflop_per_s: Option<f64>,
    #[serde(skip)]
    flops: Option<u64>,
}

impl Figures {
    /// The figures of times in nanoseconds.
    pub(crate) fn new(kernel: &str, workload: &Workload, call: f64, sandboxed: f64, native: Option<f64>) -> Self {
        // Rounded first, so that ratios agree with what they are ratios of.
        let [call_ns, sandboxed_ns] = [call, sandboxed].map(rounded);
        let native_ns = native.map(rounded);
        Self {
            kernel: kernel.to_owned(),
            engine: "wasmtime",
            shape: workload.shape.to_string(),
            call_ns,
            sandboxed_ns,
            native_ns,
            ratio: native_ns.map(|native| sandboxed_ns / native),
            call_ratio: native_ns.map(|native| call_ns / native),
            gb_per_s: workload.bytes as f64 / sandboxed_ns,
            gflop_per_s: workload.flops.map(|flops| flops as f64 / sandboxed_ns),
            flops: workload.flops,
        }
    }

    /// The id of the kernel.
    pub(crate) fn kernel(&self) -> &str {
        &self.kernel
    }

    /// What a manifest says of it: the time of a whole call, and the throughput that this makes.
    pub(crate) fn benchmark(&self) -> Benchmark {
        let thousandths = |value: f64| (value * 1000.0).round() / 1000.0;
        Benchmark {
            latency_us: thousandths(self.call_ns / 1000.0),
            throughput_gflops: self.flops.map(|flops| thousandths(flops as f64 / self.call_ns)),
        }
    }
}

/// To a tenth of a nanosecond, and never zero.
fn rounded(ns: f64) -> f64 {
    (ns * 10.0).round().max(1.0) / 10.0
}

/// A line of the table.
pub(crate) struct Row<'a> {
    /// The width of the first column.
    pub(crate) names: usize,
    /// The figures; none for the head.
    pub(crate) figures: Option<&'a Figures>,
}

impl Display for Row<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(it) = self.figures else {
            return writeln!(
                f,
                "{:names$}  {:14}  {:>12}  {:>12}  {:>12}  {:>12}  {:>8}  {:>8}",
                "kernel",
                "shape",
                "call us",
                "sandboxed us",
                "native us",
                "ratio",
                "GB/s",
                "GFLOP/s",
                names = self.names
            );
        };
        let us = |ns: f64| format!("{:.3}", ns / 1000.0);
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let rate = |rate: f64| format!("{rate:.1}");
        writeln!(
            f,
            "{:names$}  {:14}  {:>12}  {:>12}  {:>12}  {:>12}  {:>8}  {:>8}",
            it.kernel,
            it.shape,
            us(it.call_ns),
            us(it.sandboxed_ns),
            or_dash(it.native_ns.map(us)),
            or_dash(it.ratio.map(|ratio| format!("{ratio:.2}"))),
            rate(it.gb_per_s),
            or_dash(it.gflop_per_s.map(rate)),
            names = self.names
        )
    }
}
