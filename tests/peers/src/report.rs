//! The results, as figures and as a table.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    machine::Machine,
    peer::{AnyPeer, Side},
};

/// The figures of one peer at one size: a line of `--json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) peer: &'static str,
    pub(crate) side: Side,
    /// Floats of the row.
    pub(crate) elements: usize,
    /// The median of all rounds, in nanoseconds per row.
    pub(crate) ns: f64,
    /// The lower and the upper quartile.
    ns_quartiles: [f64; 2],
    fastest_ns: f64,
    rounds: usize,
    /// The median relative to the native function's.
    pub(crate) ratio: f64,
}

impl Figures {
    /// Summarizes sorted samples; [`compare`](Self::compare) sets the ratio.
    pub(crate) fn new(peer: &dyn AnyPeer, elements: usize, samples: Vec<f64>) -> Self {
        let at = |part: f64| samples.get((samples.len() as f64 * part) as usize).copied().unwrap_or(f64::NAN);
        let rounded = |ns: f64| (ns * 10.0).round() / 10.0;
        Self {
            peer: peer.name(),
            side: peer.side(),
            elements,
            ns: rounded(at(0.5)),
            ns_quartiles: [rounded(at(0.25)), rounded(at(0.75))],
            fastest_ns: rounded(at(0.0)),
            rounds: samples.len(),
            ratio: f64::NAN,
        }
    }

    /// Sets each ratio relative to the native function at the same size.
    pub(crate) fn compare(all: &mut [Self]) {
        let native: Vec<_> = all
            .iter()
            .filter(|figures| figures.side == Side::Native)
            .map(|native| (native.elements, native.ns))
            .collect();
        for figures in all {
            if let Some((_, ns)) = native.iter().find(|(elements, _)| *elements == figures.elements) {
                figures.ratio = (figures.ns / ns * 1000.0).round() / 1000.0;
            }
        }
    }
}

/// Returns the sizes, in order.
pub(crate) fn sizes(all: &[Figures]) -> Vec<usize> {
    let mut sizes: Vec<_> = all.iter().map(|figures| figures.elements).collect();
    sizes.dedup();
    sizes
}

/// Returns the table, with a description of the machine and the versions.
pub(crate) fn markdown(machine: &Machine, all: &[Figures]) -> String {
    let sizes = sizes(all);
    let mut text = String::from("| one row of RMSNorm |");
    for size in &sizes {
        let _ = write!(text, " {} floats |", grouped(*size));
    }
    let _ = writeln!(text, "\n|---|{}", "--:|".repeat(sizes.len()));
    let first = sizes.first().copied().unwrap_or_default();
    for row in all.iter().filter(|figures| figures.elements == first) {
        let _ = write!(text, "| {} |", row.peer);
        for size in &sizes {
            match all.iter().find(|figures| figures.peer == row.peer && figures.elements == *size) {
                Some(figures) => {
                    let _ = write!(text, " {} ({}×) |", time(figures.ns), digits(figures.ratio));
                }
                None => text.push_str(" |"),
            }
        }
        text.push('\n');
    }
    let _ = write!(text, "\nMedian time a row, and how many times the native function's that is.\n{machine}");
    text
}

/// Formats a time in a suitable unit.
pub(crate) fn time(ns: f64) -> String {
    match ns {
        ns if ns < 999.5 => format!("{} ns", digits(ns)),
        ns if ns < 999_500.0 => format!("{} µs", digits(ns / 1e3)),
        ns => format!("{} ms", digits(ns / 1e6)),
    }
}

/// Formats a number with three significant digits, or with all digits before the point.
pub(crate) fn digits(value: f64) -> String {
    let after = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.after$}")
}

/// Formats a number with its digits in groups of three.
pub(crate) fn grouped(number: usize) -> String {
    if number < 10_000 {
        return number.to_string();
    }
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(side: Side, elements: usize, ns: f64) -> Figures {
        let peer = if side == Side::Native { "native" } else { "peer" };
        Figures { peer, side, elements, ns, ns_quartiles: [ns; 2], fastest_ns: ns, rounds: 1, ratio: f64::NAN }
    }

    #[test]
    fn ratios_are_to_the_native_function_of_the_same_size() {
        let native = |elements, ns| figures(Side::Native, elements, ns);
        let peer = |elements, ns| figures(Side::Peer, elements, ns);
        let mut all = [native(16, 10.0), peer(16, 25.0), native(4096, 1000.0), peer(4096, 1100.0)];
        Figures::compare(&mut all);
        assert_eq!(all.each_ref().map(|figures| figures.ratio), [1.0, 2.5, 1.0, 1.1]);
        let table = markdown(&Machine::new(), &all);
        assert!(table.starts_with(
            "| one row of RMSNorm | 16 floats | 4096 floats |\n|---|--:|--:|\n\
             | native | 10.0 ns (1.00×) | 1.00 µs (1.00×) |\n| peer | 25.0 ns (2.50×) | 1.10 µs (1.10×) |\n"
        ));
    }

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!([9.994, 9.996, 99.96, 999.4].map(time), ["9.99 ns", "10.0 ns", "100 ns", "999 ns"]);
        assert_eq!([999.6, 12_340.0, 1.5e6].map(time), ["1.00 µs", "12.3 µs", "1.50 ms"]);
        assert_eq!([16, 4096, 262_144, 1_000_000].map(grouped), ["16", "4096", "262,144", "1,000,000"]);
    }
}
