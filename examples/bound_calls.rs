//! Binds a kernel to tensors once and calls it many times, without a copy.

use std::error::Error;

use kernelpack_host::{PublicKey, Runtime, Tensor};
use my_kernels::bias_relu_f32;

fn main() -> Result<(), Box<dyn Error>> {
    let _release = kernelpack_examples::release("examples/my-kernels", "my-pack")?; // not needed where both are
    let key = PublicKey::from_pem(&std::fs::read_to_string("release.pub")?)?;
    let runtime = Runtime::server().trust(key).build()?;
    let bias_relu = runtime.open("my-pack")?.kernel::<bias_relu_f32::Kernel>()?;

    // Tensors are in memory that can be mapped into a sandbox. `hidden` is the output of one kernel and the input of
    // the next.
    let mut x = Tensor::<f32>::zeros(&[64, 1024])?;
    let (low, high) = (Tensor::from_slice(&[-2.0; 1024], &[1024])?, Tensor::from_slice(&[10.0; 1024], &[1024])?);
    let (mut hidden, mut y) = (Tensor::zeros(&[64, 1024])?, Tensor::zeros(&[64, 1024])?);
    let mut first = bias_relu.bind(bias_relu_f32::Args::new(x.view(), low.view(), hidden.view_mut()))?;
    let mut second = bias_relu.bind(bias_relu_f32::Args::new(hidden.view(), high.view(), y.view_mut()))?;

    for step in 1..=3 {
        x.as_mut_slice().fill(step as f32); // between calls, tensors are the program's to read and write
        first.call(bias_relu_f32::Args::new(x.view(), low.view(), hidden.view_mut()))?;
        // Scalars may change from call to call.
        let args = bias_relu_f32::Args::new(hidden.view(), high.view(), y.view_mut());
        second.call(bias_relu_f32::Args { gain: 2.0, ..args })?;
        println!("step {step}: {}", y.as_slice()[0]);
    }
    println!("bytes copied a call: {}", first.copied_bytes() + second.copied_bytes());
    Ok(())
}
