//! The figures of a measurement, for programs and for people.

use std::fmt::{self, Display, Formatter};

use kernelpack_manifest::Benchmark;
use serde::Serialize;

use super::workload::Workload;

/// Median times of one call, in nanoseconds; `None` for what was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Times {
    /// A call of an empty function by the engine alone.
    #[serde(rename = "raw_call_ns")]
    pub(crate) raw: f64,
    /// A typed call: checks and copies from and to the caller's memory.
    #[serde(rename = "typed_call_ns")]
    pub(crate) typed: Option<f64>,
    /// A call of a kernel that uses the caller's tensors in place.
    #[serde(rename = "bound_call_ns")]
    pub(crate) bound: Option<f64>,
    /// A bound call in a runtime that never stops calls.
    #[serde(rename = "bound_no_deadline_ns")]
    pub(crate) bound_no_deadline: Option<f64>,
    /// A native call of the same function, compiled into this program.
    #[serde(rename = "native_ns")]
    pub(crate) native: Option<f64>,
    /// A call by name of a kernel that is not compiled in, which allocates its results.
    #[serde(rename = "named_call_ns")]
    pub(crate) named: Option<f64>,
    /// The execution of such a kernel alone, with its data already in the sandbox.
    #[serde(rename = "prepared_ns")]
    pub(crate) prepared: Option<f64>,
    /// A plain copy of the first tensor.
    #[serde(skip)]
    pub(crate) copy: Option<f64>,
}

impl Times {
    /// Rounds to a tenth of a nanosecond, so that ratios agree with the printed times.
    fn rounded(self) -> Self {
        // The result is never zero.
        let round = |ns: f64| (ns * 10.0).round().max(1.0) / 10.0;
        Self {
            raw: round(self.raw),
            typed: self.typed.map(round),
            bound: self.bound.map(round),
            bound_no_deadline: self.bound_no_deadline.map(round),
            native: self.native.map(round),
            named: self.named.map(round),
            prepared: self.prepared.map(round),
            copy: self.copy.map(round),
        }
    }

    /// Returns the time of a whole call.
    fn call(&self) -> Option<f64> {
        self.typed.or(self.named)
    }

    /// Returns the time of the kernel without copies.
    fn kernel(&self) -> Option<f64> {
        self.bound.or(self.prepared)
    }
}

/// The figures of one kernel at one shape: a line of `--json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figures {
    kernel: String,
    engine: &'static str,
    shape: String,
    /// The number of values of the kernel's first tensor.
    elements: u64,
    #[serde(flatten)]
    times: Times,
    typed_to_raw: Option<f64>,
    bound_to_raw: Option<f64>,
    typed_to_native: Option<f64>,
    bound_to_native: Option<f64>,
    /// Bound calls relative to those without a deadline.
    deadline_cost: Option<f64>,
    /// 10⁹ bytes of inputs and outputs per second, without copies.
    gb_per_s: Option<f64>,
    /// 10⁹ floating-point operations per second, without copies.
    gflop_per_s: Option<f64>,
    /// 10⁹ bytes per second that a plain copy reads and writes, if tensors are larger than caches.
    copy_gb_per_s: Option<f64>,
    /// `gb_per_s` relative to `copy_gb_per_s`.
    copy_share: Option<f64>,
    #[serde(skip)]
    flops: Option<u64>,
}

impl Figures {
    /// Computes the figures for these times.
    pub(crate) fn new(kernel: &str, engine: &'static str, workload: &Workload, times: Times) -> Self {
        let times = times.rounded();
        let to_raw = |ns: Option<f64>| Some(ns? / times.raw);
        let to_native = |ns: Option<f64>| Some(ns? / times.native?);
        let gb_per_s = times.kernel().map(|ns| workload.bytes as f64 / ns);
        let copied = workload.tensors().first().map(|tensor| 2 * tensor.bytes().len());
        let copy_gb_per_s = times.copy.zip(copied).map(|(ns, bytes)| bytes as f64 / ns);
        Self {
            kernel: kernel.to_owned(),
            engine,
            shape: workload.shape.to_string(),
            elements: workload.elements(),
            typed_to_raw: to_raw(times.typed),
            bound_to_raw: to_raw(times.bound),
            typed_to_native: to_native(times.typed),
            bound_to_native: to_native(times.bound),
            deadline_cost: times.bound.zip(times.bound_no_deadline).map(|(with, without)| with / without),
            gb_per_s,
            gflop_per_s: workload.flops.zip(times.kernel()).map(|(flops, ns)| flops as f64 / ns),
            copy_gb_per_s,
            copy_share: gb_per_s.zip(copy_gb_per_s).map(|(kernel, copy)| kernel / copy),
            flops: workload.flops,
            times,
        }
    }

    /// Returns the id of the kernel.
    pub(crate) fn kernel(&self) -> &str {
        &self.kernel
    }

    /// Returns the entry in a manifest: the time of a whole call, and the throughput at that time.
    pub(crate) fn benchmark(&self) -> Option<Benchmark> {
        let thousandths = |value: f64| (value * 1000.0).round() / 1000.0;
        let call = self.times.call()?;
        Some(Benchmark {
            latency_us: thousandths(call / 1000.0),
            throughput_gflops: self.flops.map(|flops| thousandths(flops as f64 / call)),
        })
    }
}

/// A line of the table.
pub(crate) struct Row<'a> {
    /// The width of the first column.
    pub(crate) names: usize,
    /// Whether there are several engines, so that each line must name its engine.
    pub(crate) several: bool,
    /// The figures; `None` for the table's header.
    pub(crate) figures: Option<&'a Figures>,
}

/// The table's header; the columns below are at most as wide.
const HEAD: [&str; 8] = ["call us", "bound us", "native us", "x raw", "x native", "deadline", "GB/s", "copy"];

impl Display for Row<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (kernel, shape, cells) = match self.figures {
            None => ("kernel".to_owned(), "shape", HEAD.map(str::to_owned)),
            Some(it) if self.several => (format!("{} {}", it.kernel, it.engine), it.shape.as_str(), cells(it)),
            Some(it) => (it.kernel.clone(), it.shape.as_str(), cells(it)),
        };
        write!(f, "{kernel:names$}  {shape:15}", names = self.names)?;
        for (head, cell) in HEAD.iter().zip(cells) {
            write!(f, "  {cell:>width$}", width = head.len().max(4))?;
        }
        writeln!(f)
    }
}

fn cells(it: &Figures) -> [String; 8] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let us = |ns: Option<f64>| or_dash(ns.map(|ns| digits(ns / 1000.0)));
    let ratio = |ratio: Option<f64>| or_dash(ratio.map(digits));
    [
        us(it.times.call()),
        us(it.times.kernel()),
        us(it.times.native),
        // With a large tensor, entering the sandbox takes almost no time in comparison.
        or_dash(it.bound_to_raw.map(|times| if times > 9999.0 { ">9999".to_owned() } else { digits(times) })),
        ratio(it.bound_to_native),
        ratio(it.deadline_cost),
        or_dash(it.gb_per_s.map(|rate| format!("{rate:.1}"))),
        or_dash(it.copy_share.map(|share| format!("{:.0}%", share * 100.0))),
    ]
}

/// Formats a number with at least three digits, and with no more decimals than that needs.
fn digits(value: f64) -> String {
    let decimals = match value {
        ..10.0 => 3,
        10.0..100.0 => 2,
        100.0..1000.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}
