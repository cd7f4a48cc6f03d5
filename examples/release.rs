//! Turns the kernel crate `my-kernels` into a signed pack, and says what is in it.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::TempDir::new()?;
    std::env::set_current_dir(&folder)?;
    kernelpack_packer::generate("release".as_ref())?;
    let built = kernelpack_examples::build_pack("examples/my-kernels", "my-pack")?;

    let manifest = built.manifest;
    println!("{} {} by {}", manifest.name, manifest.version, manifest.author.name);
    for kernel in &manifest.kernels {
        println!("{}: {}", kernel.id, kernel.description);
    }
    Ok(())
}
