//! Replaces a pack while its kernel is being called, rolls the replacement back, and refuses a pack that was changed.

use std::{
    error::Error,
    fs,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use kernelpack_host::{
    PublicKey, Runtime, TypedKernel,
    abi::view,
    manager::{Followed, KernelManager},
};
use my_kernels::bias_relu_f32::{Inputs, Kernel};

fn main() -> Result<(), Box<dyn Error>> {
    let _release = kernelpack_examples::release("examples/my-kernels", "my-pack")?; // not needed where both are
    kernelpack_examples::build_pack("examples/my-kernels-next", "my-next-pack")?;

    let key = PublicKey::from_pem(&fs::read_to_string("release.pub")?)?;
    let runtime = Runtime::server().trust(key).build()?;
    // The store keeps copies of the packs, even if the process is killed; the next process starts with the active one.
    let manager = KernelManager::builder(runtime).store("packs").build()?;
    manager.upgrade("my-pack")?;
    let kernel = manager.follow::<Kernel>()?; // always the active pack's

    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // The calls of this thread never wait for an upgrade, and none of them fails.
        let caller = scope.spawn(|| {
            let mut calls = 0;
            while !stop.load(Relaxed) {
                call(&kernel)?;
                calls += 1;
            }
            Ok::<u64, kernelpack_host::Error>(calls)
        });
        let replaced = replace(&manager, &kernel);
        stop.store(true, Relaxed);
        let calls = caller.join().map_err(|_| "the caller panicked")??;
        eprintln!("{calls} calls went on at the same time");
        replaced
    })
}

fn replace(manager: &KernelManager, kernel: &Followed<TypedKernel<Kernel>>) -> Result<(), Box<dyn Error>> {
    println!("at first: {:?}", call(kernel)?);
    manager.upgrade("my-next-pack")?; // verified, compiled and healthy before it becomes active
    println!("upgraded: {:?}", call(kernel)?);
    manager.rollback()?; // at once, since the previous pack stays in memory for some minutes
    println!("rolled back: {:?}", call(kernel)?);

    let manifest = fs::read_to_string("my-next-pack/kernels.json")?;
    fs::write("my-next-pack/kernels.json", manifest.replace("1.1.0", "1.2.0"))?;
    match manager.upgrade("my-next-pack") {
        Ok(_) => return Err("a pack that was changed after it was signed became active".into()),
        Err(error) => println!("refused: {error}"),
    }
    println!("still there: {:?}", call(kernel)?);
    Ok(())
}

fn call(kernel: &Followed<TypedKernel<Kernel>>) -> Result<Vec<f32>, kernelpack_host::Error> {
    let (x, bias) = ([1.0, 2.0, -3.0, 4.0], [0.5, -3.0]);
    let outputs = kernel.run(Inputs::new(view(&x, [2, 2])?, view(&bias, [2])?))?;
    Ok(outputs.y.data().to_vec())
}
