//! Reports to Prometheus: a few calls, one of which the kernel fails and its reference rescues, and what a scrape shows.
//!
//! Usage: `metrics PACK_DIR PATH.pub`, with a pack of the crate `tests/fixtures/with-std`, whose kernel `falls` fails on
//! demand.

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
    // Before a pack is opened: its kernels report to the recorder that is installed then.
    let prometheus = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    run(Path::new(pack), PublicKey::from_pem(&std::fs::read_to_string(key)?)?)?;
    // What a service answers to `GET /metrics`. It calls `run_upkeep` now and then, too, so that no samples pile up
    // where nobody scrapes.
    print!("{}", prometheus.render());
    Ok(())
}

/// Seconds, from a call of a microsecond to the longest deadline.
pub(crate) const BUCKETS: [f64; 8] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0];

/// Three good calls, one that falls back, and one that is refused.
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
    // The kernel panics in its sandbox; the caller gets the result of the reference and need not know.
    call(1)?;
    // A refusal is an answer and not a failure: the reference is not asked.
    if let Err(refused) = call(4) {
        eprintln!("{refused}");
    }
    Ok(())
}
