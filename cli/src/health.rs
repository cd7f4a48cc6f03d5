//! `kernelpack health`: checks that the kernels of a pack give the expected results on this machine.

use std::{error::Error, path::PathBuf};

use kernelpack_host::health::{HealthError, HealthFault, HealthReport, Unhealthy};
use serde::Serialize;

use crate::{engine_arg::EngineArg, opening::Opening, outcome::Outcome, print, trust_args::TrustArgs};

/// The arguments of `kernelpack health`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Runs the health vectors of the pack in the sandbox: calls with known results, made by `kernelpack build` and by the \
kernels' authors. Runs all of them, and the exit code is 0 only if each gives its results within its tolerance. Kernels \
without vectors are listed as unchecked. If the machine has no room to run them, the error has no \"healthy\", since it \
says nothing about the pack.

Example:
  kernelpack health pack --trust release.pub

Example: for scripts
  kernelpack health pack --trust release.pub --json
  {\"healthy\": true,
   \"checked\": [{\"kernel\": \"rmsnorm_f32\", \"vector\": \"health/rmsnorm_f32.safetensors\",
                \"tolerance\": 0.0, \"microseconds\": 41.2}, ...], \"unchecked\": []}
  {\"healthy\": false, \"error\": \"...\", \"kernel\": \"rmsnorm_f32\", \"vector\": \"...\",
   \"failed\": [{\"kernel\": \"rmsnorm_f32\", \"vector\": \"...\", \"error\": \"...\"}],
   \"checked\": [...], \"unchecked\": []}")]
pub(crate) struct Args {
    /// Folder of the pack
    #[arg(value_name = "PACK_DIR")]
    pack: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// Print one JSON object, on failure too
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    opening: Opening,
}

/// The report on a pack whose vectors all passed.
#[derive(Debug, Serialize)]
struct Healthy {
    healthy: bool,
    checked: Vec<Checked>,
    unchecked: Vec<String>,
}

/// A vector that passed.
#[derive(Debug, Serialize)]
struct Checked {
    kernel: String,
    vector: String,
    tolerance: f64,
    microseconds: f64,
}

/// The report on a pack that is unhealthy, could not be opened, or could not be checked.
#[derive(Debug, Serialize)]
struct Failure {
    #[serde(skip_serializing_if = "Option::is_none")]
    healthy: Option<bool>,
    error: String,
    #[serde(flatten)]
    found: Option<Found>,
}

/// The details of an unhealthy pack.
#[derive(Debug, Serialize)]
struct Found {
    /// The kernel of the first vector that failed.
    kernel: String,
    vector: String,
    failed: Vec<Failed>,
    checked: Vec<Checked>,
    unchecked: Vec<String>,
}

/// A vector that failed.
#[derive(Debug, Serialize)]
struct Failed {
    kernel: String,
    vector: String,
    error: String,
}

impl From<&Unhealthy> for Found {
    fn from(unhealthy: &Unhealthy) -> Self {
        let Healthy { checked, unchecked, .. } = unhealthy.report.clone().into();
        let failed = failed(unhealthy).map(|(kernel, vector, fault)| Failed {
            kernel: kernel.to_owned(),
            vector: vector.to_owned(),
            error: fault.to_string(),
        });
        let (kernel, vector) = (unhealthy.kernel.clone(), unhealthy.vector.clone());
        Self { kernel, vector, failed: failed.collect(), checked, unchecked }
    }
}

/// Returns the kernel, the vector and the fault of each failure.
fn failed(unhealthy: &Unhealthy) -> impl Iterator<Item = (&str, &str, &HealthFault)> {
    let Unhealthy { kernel, vector, fault, others, .. } = unhealthy;
    let others = others.iter().map(|failed| (failed.kernel.as_str(), failed.vector.as_str(), &failed.fault));
    std::iter::once((kernel.as_str(), vector.as_str(), fault)).chain(others)
}

/// Checks the pack.
pub(crate) fn run(args: &Args) -> Outcome {
    match check(args) {
        Ok(report) if args.json => print::json(&Healthy::from(report))?,
        Ok(report) => print::data(to_text(&report))?,
        Err(error) => {
            let (unhealthy, is_checked) = match error.downcast_ref::<HealthError>() {
                Some(HealthError::Unhealthy(unhealthy)) => (Some(&**unhealthy), true),
                Some(_) => (None, false),
                None => (None, true),
            };
            if args.json {
                let found = unhealthy.map(Found::from);
                let healthy = is_checked.then_some(false);
                print::json(&Failure { healthy, error: print::message(&*error), found })?;
            } else if let Some(unhealthy) = unhealthy {
                print::data(to_failed_text(unhealthy))?;
            }
            return Err(error);
        }
    }
    Ok(())
}

fn check(args: &Args) -> Result<HealthReport, Box<dyn Error>> {
    Ok(args.opening.open(&args.pack, &args.trust.setup(EngineArg::Wasmtime)?)?.check_health()?)
}

impl From<HealthReport> for Healthy {
    fn from(report: HealthReport) -> Self {
        let checked = report.checked.into_iter().map(|checked| Checked {
            kernel: checked.kernel,
            vector: checked.vector,
            tolerance: checked.tolerance,
            microseconds: checked.took.as_nanos() as f64 / 1000.0,
        });
        Self { healthy: true, checked: checked.collect(), unchecked: report.unchecked }
    }
}

/// Returns a line for each vector that passed, and for each kernel without vectors.
fn lines(report: &HealthReport) -> Vec<String> {
    let checked = report.checked.iter();
    let ok = checked.map(|checked| format!("  ok  {:16} {} in {:.1?}", checked.kernel, checked.vector, checked.took));
    ok.chain(report.unchecked.iter().map(|kernel| format!("  --  {kernel:16} has no vectors"))).collect()
}

fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn to_failed_text(unhealthy: &Unhealthy) -> String {
    let mut lines = lines(&unhealthy.report);
    lines.extend(failed(unhealthy).map(|(kernel, vector, fault)| format!(" FAIL {kernel:16} {vector}: {fault}")));
    let all = unhealthy.report.checked.len() + 1 + unhealthy.others.len();
    lines.push(format!("unhealthy: {} of {}\n", 1 + unhealthy.others.len(), count(all, "vector")));
    lines.join("\n")
}

fn to_text(report: &HealthReport) -> String {
    let mut lines = lines(report);
    let unchecked = match report.unchecked.len() {
        0 => String::new(),
        kernels => format!(", {} unchecked", count(kernels, "kernel")),
    };
    lines.push(format!("healthy: {}{unchecked}\n", count(report.checked.len(), "vector")));
    lines.join("\n")
}
