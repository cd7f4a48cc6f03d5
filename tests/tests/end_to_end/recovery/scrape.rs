//! What Prometheus sees of calls that succeed, fall back and are refused.

use std::error::Error;

use kernelpack_abi::{TensorBuf, TensorView};
use kernelpack_fixture_with_std::falls;
use kernelpack_tests::{engine::Engine, pack};
use metrics_exporter_prometheus::PrometheusBuilder;

/// Seconds, from a call of a microsecond to the longest deadline.
const BUCKETS: [f64; 8] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0];

/// Three good calls, one that falls back, one that is refused, and five with wrong arguments.
fn run() -> Result<(), Box<dyn Error>> {
    let pack = Engine::Wasmtime.builder().build()?.open(pack::fixture("with-std"))?;
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
    assert!(call(4).is_err());
    // Wrong arguments, some of which are noticed before the call begins.
    let wide = TensorView::new(&[0.0; 2048], &[2048])?;
    assert!(kernel.run(falls::Inputs { x: wide, sum: TensorView::new(&sum, &[1024])?, fault: 0 }).is_err());
    let named = pack.kernel_named("falls")?;
    assert!(named.run(&[("unknown", (&x).into())], &[]).is_err());
    assert!(named.call(&[("unknown", (&x).into())], &mut [], &[]).is_err());
    assert!(named.backward(&[], &[]).is_err());
    let [mut sum, mut y] = [TensorBuf::zeros(&[1024])?, TensorBuf::zeros(&[1024])?];
    let mut bound = kernel.bind(falls::Args::new(x.view(), sum.view_mut(), y.view_mut()))?;
    let (other, [mut sum, mut y]) = (TensorBuf::zeros(&[8])?, [TensorBuf::zeros(&[8])?, TensorBuf::zeros(&[8])?]);
    assert!(bound.call_on(&kernel, falls::Args::new(other.view(), sum.view_mut(), y.view_mut())).is_err());
    Ok(())
}

/// The value of a sample, whose labels may come in any order.
pub(super) fn sample(scrape: &str, name: &str, labels: &[&str]) -> Option<f64> {
    scrape.lines().find_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (found, rest) = series.split_once('{')?;
        (found == name && labels.iter().all(|label| rest.contains(label))).then(|| value.parse().ok())?
    })
}

#[test]
fn a_scrape_shows_calls_failures_and_fallbacks() {
    let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS).unwrap().build_recorder();
    let prometheus = recorder.handle();
    metrics::with_local_recorder(&recorder, || run().unwrap());
    let scrape = prometheus.render();
    const FALLS: [&str; 3] = [r#"kernel="falls""#, r#"pack="kernelpack-fixture-with-std""#, r#"version="0.1.0""#];
    let of_falls = |name: &str, label: &str| sample(&scrape, name, &[&FALLS[..], &[label]].concat());
    let calls = |outcome: &str| {
        let label = format!("outcome=\"{outcome}\"");
        sample(&scrape, "kernelpack_calls_total", &[&FALLS[..], &[&label, "placement=\"sandboxed\""]].concat())
    };
    assert_eq!(calls("ok"), Some(3.0), "{scrape}");
    assert_eq!((calls("fallback"), calls("refused"), calls("failed")), (Some(1.0), Some(1.0), Some(0.0)));
    assert_eq!(calls("bad_call"), Some(5.0), "{scrape}");
    assert_eq!(of_falls("kernelpack_call_duration_seconds_count", "placement"), Some(1.0));
    assert_eq!(of_falls("kernelpack_call_duration_seconds_bucket", r#"le="+Inf""#), Some(1.0));
    assert_eq!(of_falls("kernelpack_failures_total", r#"kind="internal_error""#), Some(1.0));
    assert_eq!(of_falls("kernelpack_failures_total", r#"kind="stack_overflow""#), Some(0.0));
    assert_eq!(of_falls("kernelpack_fallbacks_total", r#"result="ok""#), Some(1.0));
    // The pack is gone by now.
    assert_eq!(of_falls("kernelpack_degraded", ""), Some(0.0));
    assert_eq!(sample(&scrape, "kernelpack_pack_info", &FALLS[1..]), Some(0.0));
    assert!(scrape.contains("# HELP kernelpack_failures_total Kernel failures, by kind."), "{scrape}");
    assert!(scrape.contains("# TYPE kernelpack_call_duration_seconds histogram"), "{scrape}");
}
