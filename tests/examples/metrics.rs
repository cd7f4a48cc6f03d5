//! Reports metrics to Prometheus: makes a few calls, one of which fails in the kernel and falls back to its reference,
//! and prints what a scrape returns.
//!
//! Usage: `metrics PACK_DIR PATH.pub`, with a pack of the crate `tests/fixtures/with-std`, whose kernel `falls` fails
//! on demand.

use std::{error::Error, path::Path};

use kernelpack_fixture_with_std::falls;
use kernelpack_guest::abi::{TensorBuf, TensorView};
use kernelpack_host::{PublicKey, Runtime};
use metrics_exporter_prometheus::PrometheusBuilder;

#[allow(dead_code, reason = "the tests run the rest of this file with a recorder of their own")]
fn main() -> Result<(), Box<dyn Error>> {
    let [pack, key] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: metrics PACK_DIR PATH.pub".into());
    };
    // Before a pack is opened, since its kernels report to the recorder that is installed then.
    let prometheus = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    run(Path::new(pack), PublicKey::from_pem(&std::fs::read_to_string(key)?)?)?;
    // This is the answer to `GET /metrics`. A service also calls `run_upkeep` regularly, so that samples do not pile up
    // if nobody scrapes.
    print!("{}", prometheus.render());
    Ok(())
}

/// In seconds, from a call of a microsecond to the longest deadline.
pub(crate) const BUCKETS: [f64; 8] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0];

/// Three successful calls, one that falls back, and one that is refused.
pub(crate) fn run(pack: &Path, key: PublicKey) -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::server().trust(key).build()?;
    let pack = runtime.open(pack)?;
    let kernel = pack.kernel::<falls::Kernel>()?;
    let (x, sum) = (TensorBuf::<f32>::zeros(&[1024])?, [0.0; 1024]);
    let call = |fault| {
        let sum = TensorView::new(&sum, &[1024])?;
        kernel.run(falls::Inputs { x: x.view(), sum, fault }).map_err(Box::<dyn Error>::from)
    };
    for _ in 0..3 {
        call(0)?;
    }
    // The kernel panics in its sandbox; the caller gets the reference's result and does not notice.
    call(1)?;
    // A refusal is an answer rather than a failure, so the reference is not called.
    if let Err(refused) = call(4) {
        eprintln!("{refused}");
    }
    Ok(())
}
