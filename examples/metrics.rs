//! Reports to Prometheus: a few calls, one of which the kernel refuses, and what a scrape shows.

use std::error::Error;

use kernelpack_host::{PublicKey, Runtime, abi::view};
use metrics_exporter_prometheus::PrometheusBuilder;
use my_kernels::bias_relu_f32::{Inputs, Kernel};

/// Seconds, from a call of a microsecond to the longest deadline.
const BUCKETS: [f64; 8] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0];

fn main() -> Result<(), Box<dyn Error>> {
    let _release = kernelpack_examples::release("examples/my-kernels", "my-pack")?; // not needed where both are
    // The recorder is installed before a pack is opened, since kernels report to the recorder that is installed at that
    // time.
    let prometheus = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;

    let key = PublicKey::from_pem(&std::fs::read_to_string("release.pub")?)?;
    let runtime = Runtime::server().trust(key).build()?;
    let kernel = runtime.open("my-pack")?.kernel::<Kernel>()?;
    let (x, bias) = ([1.0; 1024], [0.5; 64]);
    let inputs = Inputs::new(view(&x, [16, 64])?, view(&bias, [64])?);
    for gain in [1.0, 2.0, 3.0, -1.0] {
        // The kernel refuses a gain that is not positive.
        if let Err(error) = kernel.run(Inputs { gain, ..inputs }) {
            eprintln!("{error}");
        }
    }

    // A service returns this text for `GET /metrics`. It also calls `run_upkeep` regularly, so that samples do not
    // accumulate if nobody scrapes them.
    print!("{}", prometheus.render());
    Ok(())
}
