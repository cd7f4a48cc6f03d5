//! Runs a kernel of a pack.

use kernelpack_host::{PublicKey, Runtime, abi::TensorView};
use my_kernels::bias_relu_f32;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _release = kernelpack_examples::release("examples/my-kernels", "my-pack")?; // not needed where both are
    let key = PublicKey::from_pem(&std::fs::read_to_string("release.pub")?)?;
    let runtime = Runtime::server().trust(key).build()?;
    let pack = runtime.open("my-pack")?; // signature, digests, compatibility, compile
    let bias_relu = pack.kernel::<bias_relu_f32::Kernel>()?; // the stub is checked against the manifest once

    let (x, bias) = ([1.0, 2.0, -3.0, 4.0], [0.5, -3.0]);
    let inputs = bias_relu_f32::Inputs::new(TensorView::new(&x, &[2, 2])?, TensorView::new(&bias, &[2])?);
    let outputs = bias_relu.run(inputs)?; // shapes are checked, then the sandbox is entered
    println!("{:?}", outputs.y.data());

    // A kernel's refusal is a value, and the next call works.
    let refused = bias_relu.run(bias_relu_f32::Inputs { gain: -1.0, ..inputs }).unwrap_err();
    println!("{refused}");
    Ok(())
}
